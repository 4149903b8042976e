/** A queue in PostgreSQL: the package for it is loaded where one is named. */
import type { QueueStore } from '@sansmtp/queue';

export function isPostgres(place: string): boolean {
  return /^postgres(?:ql)?:\/\//.test(place);
}

/** @throws {Error} the package is not there, or what it says where the database cannot be reached */
export async function openPostgres(place: string): Promise<QueueStore> {
  void place;
  throw new Error('no queue in PostgreSQL yet');
}
