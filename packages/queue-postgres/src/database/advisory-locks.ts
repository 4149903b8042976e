/** Locks by name. PostgreSQL has them by number, and for as long as the connection stands or the transaction lasts. */

/** The name of a lock of one queue; others in the same database have other names. */
export function lockName(schema: string, what: string): string {
  return `sansmtp/${schema}/${what}`;
}

/** The number of a lock. @param name its name, as an expression of SQL */
export function lockNumber(name: string): string {
  return `hashtextextended(${name}, 0)`;
}
