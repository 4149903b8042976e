/**
 * Leases are compared by the clock of the database, the only one that all machines share: with a clock of its own that is
 * ahead, a machine would take back what others still deliver. Callers say what time it is by theirs; so the store knows by how
 * much the database's differs, and notices when that changes.
 */

/** Milliseconds that two looks at the clocks may differ by before the difference is taken for a new one. */
const TOLERANCE = 1000;

export class DatabaseClock {
  #ahead = 0;

  /** From the caller's time to the database's. */
  toDatabase(time: number): number {
    return Math.round(time + this.#ahead);
  }

  fromDatabase(time: number): number {
    return Math.round(time - this.#ahead);
  }

  /**
   * Compares the clocks, after a query that read the database's.
   * @param database what it showed, some time between `sent` and `received`
   * @returns false: a clock was set meanwhile. The difference is known anew, but a time that was taken before may be wrong
   */
  heed(database: number, sent: number, received: number): boolean {
    const least = database - received - TOLERANCE;
    const most = database - sent + TOLERANCE;
    if (this.#ahead >= least && this.#ahead <= most) return true;
    this.#ahead = Math.round((least + most) / 2);
    return false;
  }
}

/** In milliseconds since 1970 UTC, as a number. */
export const DATABASE_NOW = `(extract(epoch FROM clock_timestamp()) * 1000)::float8`;
