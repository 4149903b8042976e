/** A queue in PostgreSQL: what it takes is loaded where one is named. */
import type { QueueStore } from '@sansmtp/queue';

export function isPostgres(place: string): boolean {
  return /^postgres(?:ql)?:\/\//.test(place);
}

/** The place of a queue as it may be shown: without a password. */
export function shownPlace(place: string): string {
  if (!isPostgres(place)) return place;
  const [shown = ''] = place.split('?', 1);
  const host = shown.lastIndexOf('@');
  return host === -1 ? shown : `${shown.slice(0, shown.indexOf('://'))}://…${shown.slice(host)}`;
}

/**
 * @param worker the name of this process, the same each time: what its last life has claimed is due at once
 * @throws {Error} the database cannot be reached, another process has the name, or a newer version has been at the queue
 */
export async function openPostgres(place: string, worker?: string): Promise<QueueStore> {
  const { openPostgresQueue } = await import('@sansmtp/queue-postgres');
  return openPostgresQueue({ connection: place, ...(worker !== undefined && { worker }) });
}
