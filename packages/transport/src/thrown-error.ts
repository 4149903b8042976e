/**
 * What a callback threw, as the reason to abort a stream with: JavaScript can throw anything, but the reason of
 * `close` is an `Error`.
 * @param callback the name of what threw
 */
export function thrownError(thrown: unknown, callback: string): Error {
  return thrown instanceof Error ? thrown : new Error(`${callback} threw no Error`, { cause: thrown });
}
