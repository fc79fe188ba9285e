import { formatAddress, type HostPort } from './config/units';
import { StartupError } from './startup-error';

/** An address that cannot be listened on is the operator's to mend. */
export async function listening<T>(option: string, address: HostPort, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StartupError(`${option} ${formatAddress(address)} cannot be listened on: ${why}`, 1);
  }
}
