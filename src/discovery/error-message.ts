/** What an error says. Asked of its shape, since an error of the system is not an instance of this realm's `Error` everywhere. */
export function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
}
