/** Where else sessions come from: a trace file that is dropped or opened, and the server that serves this page. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { TracedRecording } from '../recording/traced.js';
import { stateName } from '../recording/words.js';
import { attach, followSession, followSessions } from '../sources/attached.js';
import { type ListedSession, type ReadFile, readFile } from '../sources/sessions.js';
import type { Action } from './watching.js';

/** So many of a server's sessions are listed, the newest. */
const MOST_LISTED = 200;

/** Larger files are no traces that anybody could step through. */
const MOST_FILE_OCTETS = 64 * 1024 * 1024;

export interface Sources {
  readonly sessions: readonly ListedSession[];
  /** They are live: the list grows, and so does the session that is shown. */
  readonly isLive: boolean;
  readonly message: string | undefined;
  readonly open: (file: File) => Promise<void>;
  readonly choose: (session: ListedSession) => void;
}

export function useSources(token: string | undefined, act: (action: Action) => void): Sources {
  const [file, setFile] = useState<ReadFile>();
  const [live, setLive] = useState<readonly ListedSession[]>();
  const [message, setMessage] = useState<string>();
  const stopFollowing = useRef<() => void>(() => {});
  // Actions know how long the recording is: always the newest.
  const latest = useRef(act);
  latest.current = act;

  const showFile = (read: ReadFile): void => {
    setFile(read);
    const [first] = read.sessions;
    const skipped = read.skipped === 0 ? '' : ` ${read.skipped} lines are no records, and were left out.`;
    if (first === undefined) setMessage(`${read.name} holds no session.${skipped}`);
    else {
      setMessage(skipped === '' ? undefined : skipped.trim());
      show(read, first.id, first.end);
    }
  };
  const show = (read: ReadFile, id: string, end: string): void => {
    const session = read.sessions.find((each) => each.id === id && each.end === end);
    if (session === undefined) return;
    stopFollowing.current();
    const name = `${read.name}: session ${id}`;
    latest.current({ type: 'foreign', foreign: { name, recording: session.recording() }, follow: false });
  };
  const follow = (session: ListedSession): void => {
    stopFollowing.current();
    const traced = new TracedRecording(session.id, session.end);
    const name = `live: session ${session.id}`;
    let isDue = false;
    // A busy session has many records between two pictures.
    const draw = (): void => {
      isDue = false;
      latest.current({ type: 'foreign', foreign: { name, recording: traced.recording }, follow: true });
    };
    stopFollowing.current = followSession(session.id, session.end, (record) => {
      traced.take(record);
      if (!isDue) requestAnimationFrame(draw);
      isDue = true;
    });
  };

  const open = async (given: File): Promise<void> => {
    if (given.size > MOST_FILE_OCTETS) setMessage(`${given.name} is larger than 64 MB.`);
    else showFile(readFile(given.name, await given.text()));
  };

  useEffect(() => {
    let stop = (): void => {};
    attach(token)
      .then((attached) => {
        if (attached?.mode === 'trace') showFile(readFile('trace', attached.text));
        if (attached?.mode === 'refused') setMessage(attached.reason);
        if (attached?.mode === 'inspect') {
          setLive([]);
          stop = followSessions(setLive);
        }
      })
      .catch((error: unknown) => setMessage(`The server cannot be reached: ${String(error)}`));
    return () => {
      stop();
      stopFollowing.current();
    };
  }, []);

  useEffect(() => {
    const over = (event: DragEvent): void => event.preventDefault();
    const drop = (event: DragEvent): void => {
      event.preventDefault();
      const dropped = event.dataTransfer?.files[0];
      if (dropped !== undefined) void open(dropped);
    };
    addEventListener('dragover', over);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', over);
      removeEventListener('drop', drop);
    };
  }, []);

  return {
    sessions: live ?? file?.sessions ?? [],
    isLive: live !== undefined,
    message,
    open,
    choose: (session) => (file && live === undefined ? show(file, session.id, session.end) : follow(session)),
  };
}

/** The sessions to choose from, the newest first where they are live. */
export function Sessions({
  sources,
  shown,
}: {
  readonly sources: Sources;
  readonly shown: string | undefined;
}) {
  const { sessions, isLive, choose } = sources;
  if (sessions.length < 2 && !isLive) return null;
  const ordered = isLive ? sessions.toReversed() : sessions;
  const listed = ordered.slice(0, MOST_LISTED);
  return (
    <section class="sessions" aria-label="Sessions">
      <h2>
        {isLive ? 'Live sessions' : 'Sessions'}{' '}
        <span class="subtitle">
          {sessions.length === 0 ? 'none yet: they appear as clients connect' : `${sessions.length}`}
          {sessions.length > MOST_LISTED && `, the last ${MOST_LISTED} of them here`}
        </span>
      </h2>
      <ul>
        {listed.map((session) => (
          <li key={`${session.end} ${session.id}`}>
            <button
              type="button"
              aria-pressed={shown?.endsWith(`session ${session.id}`) ?? false}
              onClick={() => choose(session)}
            >
              <b>{session.id}</b> <span class={session.end}>{session.end}</span> {session.peer}{' '}
              <span class="state">{session.state && stateName(session.state)}</span>
              <span class="count"> {session.records}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
