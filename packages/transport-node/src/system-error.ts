/** The system's word for what went wrong (`ECONNREFUSED`, `EADDRINUSE`, …), for any error that has one. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
