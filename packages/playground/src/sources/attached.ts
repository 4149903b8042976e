/**
 * The server that serves this page, where it has sessions to show: `sansmtp serve --inspect`, or `sansmtp play --trace`.
 *
 * The token comes in the URL's fragment, which no server and no log sees. It is exchanged for a cookie that no script can
 * read, and taken out of the address bar.
 */
import { TraceReader, type TraceRecord } from '@sansmtp/charts/trace';
import type { End } from '../simulation/ends.js';
import type { ListedSession } from './sessions.js';

export type Attached =
  /** Nothing but the page. */
  | { readonly mode: 'play' }
  /** The text of a trace. */
  | { readonly mode: 'trace'; readonly text: string }
  /** Live sessions. */
  | { readonly mode: 'inspect' }
  /** The server would not have it. */
  | { readonly mode: 'refused'; readonly reason: string };

const REMEMBERED = 'sansmtp attached';

/** Takes the token out of the address, before anything else looks at it. @returns undefined: there is none */
export function takeToken(): string | undefined {
  const fields = new URLSearchParams(location.hash.slice(1));
  const token = fields.get('token');
  if (token === null) return undefined;
  fields.delete('token');
  const rest = fields.toString();
  history.replaceState(null, '', rest === '' ? location.pathname : `#${rest}`);
  return token;
}

/** @returns what this page is attached to; undefined: it stands alone */
export async function attach(token: string | undefined): Promise<Attached | undefined> {
  if (token === undefined && sessionStorage.getItem(REMEMBERED) === null) return undefined;
  if (token !== undefined) {
    const exchanged = await fetch('token', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    if (!exchanged.ok)
      return { mode: 'refused', reason: 'The token is not the one of this server: it was started anew?' };
    sessionStorage.setItem(REMEMBERED, 'yes');
  }
  const asked = await fetch('mode');
  if (!asked.ok) return refused();
  const { mode } = (await asked.json()) as { readonly mode: 'play' | 'trace' | 'inspect' };
  if (mode === 'play') return { mode };
  const shown = await fetch(mode === 'trace' ? 'trace' : 'sessions');
  if (!shown.ok) return refused();
  return mode === 'trace' ? { mode, text: await shown.text() } : { mode };
}

/** The cookie is no longer good, or has never been there. */
function refused(): Attached {
  sessionStorage.removeItem(REMEMBERED);
  return { mode: 'refused', reason: 'Open the address that the server has printed: it holds the token.' };
}

/** Follows the list of sessions. @returns what ends it */
export function followSessions(tell: (sessions: readonly ListedSession[]) => void): () => void {
  const sessions = new Map<string, ListedSession>();
  const told = (): void => tell([...sessions.values()]);
  const take = ({ data }: MessageEvent<string>): void => {
    const session = JSON.parse(data) as ListedSession;
    sessions.set(session.id, session);
    told();
  };
  const source = new EventSource('sessions/events');
  for (const type of ['opened', 'changed', 'closed']) source.addEventListener(type, take);
  // Each time anew: what happened while nobody was connected stands in the list.
  source.addEventListener('open', async () => {
    const asked = await fetch('sessions');
    for (const session of (await asked.json()) as ListedSession[]) sessions.set(session.id, session);
    told();
  });
  return () => source.close();
}

/** Follows one session from its first record that the server has. @returns what ends it */
export function followSession(id: string, end: End, take: (record: TraceRecord) => void): () => void {
  const reader = new TraceReader();
  reader.push(`${JSON.stringify({ trace: { vantage_point: { type: end } } })}\n`);
  const source = new EventSource(`sessions/${encodeURIComponent(id)}/events`);
  source.addEventListener('message', ({ data }: MessageEvent<string>) => {
    for (const { record } of reader.push(`${data}\n`)) take(record);
  });
  return () => source.close();
}
