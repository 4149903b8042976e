/** smtp-server's handlers as ours: what each is asked with, and what its answer means. */
import type {
  ClientAttributes,
  Envelope,
  MailParameters,
  RcptParameters,
  Recipient,
  Reply,
  ReversePath,
} from '@sansmtp/core';
import { type IncomingMessage, MailDataAbandonedError, type ServerHandlers } from '@sansmtp/transport';
import { addressOf, hasStrayDots, isUnsafe } from '../addresses/address.js';
import type { ServedConnection } from '../served.js';
import { DataStream, drained, feed } from '../streams/data-stream.js';
import type { SMTPServerAddress } from '../types.js';
import { authenticate, authenticateByProxy } from './authentication.js';
import { called } from './callbacks.js';
import { mailArguments, rcptArguments } from './extensions.js';
import { refusal, refusalBy } from './refusal.js';
import { SYNTAX } from './wording.js';

/** Milliseconds before the greeting, in which a client that speaks gives itself away (RFC 5321 §3.1). */
const GREETING_DELAY = 100;

const pause = () => new Promise<void>((resolve) => void setTimeout(resolve, GREETING_DELAY).unref());

const NO_MAIL: MailParameters = {};

export function handlersOf(connection: ServedConnection): ServerHandlers {
  const { server, session, options } = connection;
  let greeted = false;

  return {
    async onConnect(information) {
      if (greeted) {
        await takeOver(connection, information.client);
        return;
      }
      greeted = true;
      const { maxClients } = options;
      if (maxClients && server.connections.size > maxClients) {
        throw refusal(421, `${connection.name} Too many connected clients, try again in a moment`);
      }
      await Promise.all([pause(), connection.identifyClient()]);
      if (information.spokeEarly) throw refusal(421, `${connection.name} You talk too soon`);
      await connection.welcome();
    },

    async onSecure(tls) {
      if (greeted) await connection.upgraded(tls);
    },

    onHello({ verb, name }) {
      // The core takes names with blanks in them, which some machines have.
      if (name.includes(' ')) throw refusal(501, SYNTAX[verb]);
      connection.introduced(verb, name);
    },

    onAuth: (attempt) => authenticate(connection, attempt).finally(() => connection.describe()),

    async onMailFrom({ reversePath, parameters }, { forwarded }) {
      if (forwarded !== undefined) connection.forward(forwarded);
      connection.announce();
      connection.refuseUnlessAuthenticated();
      const address = { address: addressOf(reversePath), args: mailArguments(parameters) };
      if (!isTaken(connection, reversePath)) throw refusal(501, 'Error: Bad sender address syntax');
      session.envelope = connection.newEnvelope();
      const { envelope } = session;
      envelope.bodyType = (parameters.body ?? '7BIT').toLowerCase();
      envelope.smtpUtf8 = parameters.smtpUtf8 === true;
      envelope.requireTLS = parameters.requireTls === true;
      if (envelope.dsn) envelope.dsn = dsnOf(parameters);
      await decided(550, (callback) => server.onMailFrom(address, session, callback));
      envelope.mailFrom = address;
    },

    async onRcptTo({ forwardPath, parameters }: Recipient) {
      const address: SMTPServerAddress = { address: addressOf(forwardPath), args: rcptArguments(parameters) };
      if (!isTaken(connection, forwardPath)) throw refusal(501, 'Error: Bad recipient address syntax');
      if (!options.hideDSN) Object.assign(address, recipientDsn(parameters));
      await decided(550, (callback) => server.onRcptTo(address, session, callback));
      addRecipient(session.envelope.rcptTo, address);
    },

    onMessage: (message) => receive(connection, message),

    onHelp() {
      if (connection.isDisabled('HELP')) throw refusal(500, 'Error: command not recognized');
    },

    onVerify(argument) {
      if (connection.isDisabled('VRFY')) throw refusal(500, 'Error: command not recognized');
      if (argument === '') throw refusal(501, 'Error: Syntax: VRFY address');
    },

    onClose(_, reason) {
      connection.closed(reason);
    },

    onError(error) {
      connection.failed(error);
    },
  };
}

/** The core leaves local parts to whom they belong (RFC 5321 §2.3.11); smtp-server refuses some unless told otherwise. */
function isTaken({ options }: ServedConnection, path: ReversePath): boolean {
  if (path === null) return true;
  return (
    !isUnsafe(`${path.localPart}${path.domain}`) &&
    (options.lenientAddressParsing === true || !hasStrayDots(path))
  );
}

/** Waits for a handler; its error becomes the reply. */
async function decided(code: number, begin: Parameters<typeof called<never>>[0]): Promise<void> {
  const { error } = await called(begin);
  if (error) throw refusalBy(error, code);
}

/** A repeated recipient takes the place of the one before: letters of either case, as there. */
function addRecipient(recipients: SMTPServerAddress[], address: SMTPServerAddress): void {
  const key = address.address.toLowerCase();
  const index = recipients.findIndex((one) => one.address.toLowerCase() === key);
  if (index < 0) recipients.push(address);
  else recipients[index] = address;
}

function dsnOf({ ret, envid } = NO_MAIL): { ret: string | null; envid: string | null } {
  return { ret: ret ?? null, envid: envid ?? null };
}

function recipientDsn({ notify, orcpt }: RcptParameters): Pick<SMTPServerAddress, 'dsn'> {
  if (notify === undefined && orcpt === undefined) return {};
  return {
    dsn: {
      ...(notify !== undefined && { notify: typeof notify === 'string' ? [notify] : [...notify] }),
      ...(orcpt !== undefined && { orcpt: `${orcpt.addressType};${orcpt.address}` }),
    },
  };
}

/** What XCLIENT has said holds from here on; the session begins anew (see Postfix's XCLIENT_README). */
async function takeOver(connection: ServedConnection, client: ClientAttributes | undefined): Promise<void> {
  connection.impersonate(client);
  const login = client?.login;
  if (typeof login !== 'string') return;
  try {
    if (login !== '') await authenticateByProxy(connection, login);
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Gives the message to `onData`, and replies when it has been read to its end and decided on. */
async function receive(
  connection: ServedConnection,
  { envelope, body }: IncomingMessage,
): Promise<Reply | readonly Reply[] | undefined> {
  const { server, session, options } = connection;
  const limit = Number(options.size) || Number.POSITIVE_INFINITY;
  const stream = new DataStream(limit);
  const fed = feed(stream, body).then(
    () => undefined,
    (error: unknown) => error,
  );
  const { error, result } = await called<string | (string | Error)[]>((callback) =>
    server.onData(stream, session, callback),
  );
  await drained(stream);
  const lost = await fed;
  if (lost instanceof MailDataAbandonedError) throw lost;
  try {
    if (options.rejectOversized && stream.byteLength > limit) {
      const text = `Error: message exceeds fixed maximum message size ${options.size}`;
      return { code: 552, enhancedCode: '5.3.4', lines: [text] };
    }
    if (error) throw refusalBy(error, 450);
    if (!Array.isArray(result)) return typeof result === 'string' ? accepted(result) : undefined;
    return options.lmtp ? forEach(envelope, session.envelope.rcptTo, result) : replyTo(result[0]);
  } finally {
    connection.endTransaction();
  }
}

const accepted = (text: string): Reply => ({ code: 250, enhancedCode: '2.6.0', lines: [text] });

function replyTo(result: string | Error | undefined): Reply {
  if (!(result instanceof Error)) return accepted(result ?? 'OK: message accepted');
  const { responseCode: code, message } = refusalBy(result, 450);
  return { code, lines: [message] };
}

/** In LMTP a reply for each recipient, also for one that was given twice (RFC 2033 §4.2). */
function forEach(
  { recipients }: Envelope,
  addresses: readonly SMTPServerAddress[],
  results: readonly (string | Error)[],
): readonly Reply[] {
  return recipients.map(({ forwardPath }) => {
    const key = addressOf(forwardPath).toLowerCase();
    return replyTo(results[addresses.findIndex(({ address }) => address.toLowerCase() === key)]);
  });
}
