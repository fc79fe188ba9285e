import { type Fault, notFound } from './errors';

/** An account that came later than the point in time that was asked about. */
export function notOpenThen(name: string, offset: number): Fault {
  return notFound('ACCOUNT_NOT_FOUND', `The account ${JSON.stringify(name)} was not open yet at offset ${offset}.`);
}
