const TIME = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d:\d\d))?$/;
const MICROS_PER_MILLI = 1000;

/**
 * Microseconds since the Unix epoch of a day (`2024-05-31`, its beginning in UTC) or of a time as RFC 3339 has it, with its zone.
 * Undefined for anything else; also for a day that no calendar has: `Date` would take 30 February for 1 March.
 */
export function calendarMicros(text: string): number | undefined {
  const [, day, clock = '00:00:00', fraction = '', zone = 'Z'] = TIME.exec(text) ?? [];
  if (day === undefined || !isDay(day)) return undefined;
  const micros = Date.parse(`${day}T${clock}${zone}`) * MICROS_PER_MILLI + Number(fraction.padEnd(6, '0'));
  return Number.isNaN(micros) ? undefined : micros;
}

function isDay(day: string): boolean {
  const millis = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(millis) && new Date(millis).toISOString().startsWith(day);
}
