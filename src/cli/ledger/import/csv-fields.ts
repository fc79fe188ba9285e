/**
 * The fields of one record of CSV, strictly by RFC 4180: separated by commas; a field in double quotes may hold commas, line
 * breaks and, doubled, quotes. Quotes anywhere else are a fault, blanks belong to the field.
 * @returns the fields, or what is wrong in words
 */
export function csvFields(text: string): string[] | string {
  if (!text.includes('"')) return text.split(',');
  const fields: string[] = [];
  for (let at = 0; ;) {
    const field = text[at] === '"' ? quoted(text, at) : bare(text, at);
    if (typeof field === 'string') return field;
    fields.push(field.value);
    if (field.end === text.length) return fields;
    at = field.end + 1;
  }
}

interface Field {
  readonly value: string;
  /** Index of the comma behind it, or of the end. */
  readonly end: number;
}

function bare(text: string, at: number): Field | string {
  const comma = text.indexOf(',', at);
  const end = comma < 0 ? text.length : comma;
  const value = text.slice(at, end);
  return value.includes('"') ? 'a quote in a field that does not begin with one' : { value, end };
}

function quoted(text: string, at: number): Field | string {
  let from = at + 1;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote < 0) return 'a quote that is not closed';
    if (text[quote + 1] !== '"') {
      const end = quote + 1;
      if (end < text.length && text[end] !== ',') return 'something behind a closing quote';
      return { value: text.slice(at + 1, quote).replaceAll('""', '"'), end };
    }
    from = quote + 2;
  }
}
