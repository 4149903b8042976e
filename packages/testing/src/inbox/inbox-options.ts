/** What an inbox can be told, and how its sessions are served. */
import { checkNames, concatenate, type Envelope, namesOf, Secret } from '@sansmtp/core';
import {
  checkHandlers,
  type IncomingMessage,
  passwordUsers,
  type ServeOptions,
  type ServerHandlers,
  type ServerSessionInformation,
} from '@sansmtp/transport';
import type { MailList } from '../mail/mail-list.js';
import { receivedMessage } from '../mail/received-message.js';
import type { OwnTime, TimeOptions } from '../time/kit-time.js';

/** Beyond these a session has nothing of its own: the inbox takes whatever is sent to it. */
export interface InboxOptions<Parsed = undefined> extends TimeOptions {
  /**
   * Makes `message.parsed` of the mail data; for example `(raw) => PostalMime.parse(raw)`. What it throws goes to
   * `handlers.onError`, or to stderr, and the sender gets 451.
   */
  readonly parse?: (raw: Uint8Array) => Parsed | Promise<Parsed>;
  /** Names and passwords: AUTH is offered, in the clear as well, and required of nobody. */
  readonly users?: Readonly<Record<string, string>>;
  /** To refuse recipients, senders and whatever else before the message, as in `serveSession`. */
  readonly handlers?: Omit<ServerHandlers, 'onMessage'>;
  /** Host name, limits, extensions and time-outs, as in `serveSession`. */
  readonly session?: Partial<Omit<ServeOptions, 'clock' | 'id' | 'listener' | 'observer'>>;
}

const OPTION_NAMES = namesOf<InboxOptions>({
  realTime: true,
  parse: true,
  users: true,
  handlers: true,
  session: true,
});

/** How each session of an inbox is served. */
export interface Reception {
  readonly handlers: ServerHandlers;
  readonly session: Omit<ServeOptions, 'clock' | 'observer'>;
}

/** @throws {TypeError} an option is not known, or of the wrong kind */
export function checkInboxOptions<Parsed>(options: InboxOptions<Parsed>): void {
  checkNames('The option', options, OPTION_NAMES);
  const { parse, users, handlers = {} } = options;
  if (parse !== undefined && typeof parse !== 'function') {
    throw new TypeError('The option parse takes a function of the mail data');
  }
  if (users !== undefined && (typeof users !== 'object' || users === null)) {
    throw new TypeError("The option users takes names and passwords: { ann: 'password' }");
  }
  for (const [name, password] of Object.entries(users ?? {})) {
    if (typeof password !== 'string')
      throw new TypeError(`The password of ${name} in the option users is no text`);
  }
  checkHandlers({ ...handlers, onMessage: () => {} });
}

export function receptionOf<Parsed>(
  options: InboxOptions<Parsed>,
  mail: MailList<Parsed>,
  time: OwnTime,
): Reception {
  const { parse, users } = options;
  const authentication = options.session?.authentication;
  return {
    handlers: {
      ...(users && passwordUsers(lookUp(users))),
      ...options.handlers,
      async onMessage({ envelope, body }: IncomingMessage, session: ServerSessionInformation) {
        const raw = await wholeOf(body);
        const parsed = (await parse?.(raw)) as Parsed;
        mail.add(receivedMessage(envelopeOf(envelope), raw, parsed, sessionOf(session)));
        time.stir();
      },
    },
    session: {
      hostname: 'inbox.test',
      ...options.session,
      ...(users && { authentication: { allowInsecure: true, ...authentication } }),
    },
  };
}

function lookUp(users: Readonly<Record<string, string>>) {
  const secrets = new Map(Object.entries(users).map(([name, password]) => [name, new Secret(password)]));
  return (name: string) => {
    const password = secrets.get(name);
    return password && { kind: 'password' as const, password };
  };
}

/** The session goes on with its own. */
function envelopeOf({ recipients, ...rest }: Envelope): Envelope {
  return { ...rest, recipients: [...recipients] };
}

function sessionOf({ id, identity, tls }: ServerSessionInformation) {
  return {
    sessionId: id,
    secure: tls !== undefined,
    ...(identity && { user: identity.authenticatedAs }),
  };
}

async function wholeOf(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return concatenate(chunks);
}
