/**
 * What passed between a client and the scripted server, as a judge reads it: exchanges of a command and its reply, in order,
 * with all that the client sent. It is read from octets and not by the core: what is judged must not be what judges.
 */
import type { Moment, PassedMoment } from '@sansmtp/testing';
import { printable, Transcript } from '../dialogue/transcript.js';

/** One moment: what the client said, and what it was told. */
export interface Exchange {
  readonly moment: Moment | 'closed';
  /** All that the client sent, as Latin-1: a command with its line end, mail data with its final dot, a chunk. */
  readonly sent: string;
  /** The first line of it, without its line end. */
  readonly line: string;
  /** The first octet of it came before the reply to what went before was said to its end. */
  readonly early: boolean;
  /** Octets that had come beyond `sent` when the reply was said. */
  readonly ahead: number;
  readonly said: string;
  /** The code of `said`, if that is one well-formed reply. */
  readonly code: number | undefined;
  readonly secure: boolean;
  /** What was offered when the client sent it: EHLO keywords in upper case, with the text of their parameters. */
  readonly offers: ReadonlyMap<string, string>;
  /** The server ended the connection, or broke it off. */
  readonly ended: boolean;
}

/** The exchanges of one connection, from the greeting to `closed`. */
export type Connection = readonly Exchange[];

export const latin1 = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');

/** The code of octets that are exactly one reply of RFC 5321 §4.2; undefined: they are none, or more than one. */
export function codeOf(said: string): number | undefined {
  if (!said.endsWith('\r\n')) return undefined;
  const lines = said.slice(0, -2).split('\r\n');
  const codes = lines.map((line, index) => {
    const isLast = index === lines.length - 1;
    const form = isLast ? /^[2-5]\d\d(?: [\t -~\x80-\xff]*)?$/ : /^[2-5]\d\d-[\t -~\x80-\xff]*$/;
    return form.test(line) ? Number(line.slice(0, 3)) : undefined;
  });
  return codes.every((code) => code === codes[0]) ? codes[0] : undefined;
}

/** EHLO keywords of a reply, in upper case. */
export function offersIn(said: string): ReadonlyMap<string, string> {
  const lines = said.split('\r\n').slice(1);
  const found = lines.map((line) => /^\d{3}[ -]([A-Za-z\d][A-Za-z\d-]*)(?:[ =](.*))?$/.exec(line));
  return new Map(found.flatMap((match) => (match ? [[match[1]?.toUpperCase() ?? '', match[2] ?? '']] : [])));
}

/** The connections of a case, in the order in which they came. */
export function connectionsOf(moments: readonly PassedMoment[]): readonly Connection[] {
  const connections: Exchange[][] = [];
  const offered: ReadonlyMap<string, string>[] = [];
  for (const { connection, moment, octets, ahead, said: octetsSaid, secure, ended } of moments) {
    connections[connection - 1] ??= [];
    const exchanges = connections[connection - 1] as Exchange[];
    const sent = latin1(octets);
    const said = latin1(octetsSaid);
    const code = codeOf(said);
    const offers = offered[connection - 1] ?? new Map();
    const line = sent.split(/\r?\n/, 1)[0] ?? '';
    const early = (exchanges.at(-1)?.ahead ?? 0) > 0;
    exchanges.push({ moment, sent, line, early, ahead, said, code, secure, offers, ended });
    if (is2(code) && (moment === 'EHLO' || moment === 'LHLO')) offered[connection - 1] = offersIn(said);
    if (is2(code) && (moment === 'HELO' || moment === 'STARTTLS')) offered[connection - 1] = new Map();
  }
  return connections.filter((exchanges) => exchanges !== undefined);
}

export const is2 = (code: number | undefined): boolean => code !== undefined && code >= 200 && code < 300;
export const is4 = (code: number | undefined): boolean => code !== undefined && code >= 400 && code < 500;
export const is5 = (code: number | undefined): boolean => code !== undefined && code >= 500;

/** The mail data without transparency and final dot (RFC 5321 §4.5.2), or the chunk without its command. */
export function contentOf({ sent }: Exchange): string {
  const bdat = /^BDAT[^\r\n]*\r?\n/i.exec(sent);
  if (bdat) return sent.slice(bdat[0].length);
  return sent.replace(/(^|\r\n)\.\r\n$/, '$1').replace(/^\.|(?<=\n)\./g, '');
}

/** The parameters of MAIL or RCPT, in upper case as far as they are keywords. */
export function parametersOf(line: string): ReadonlyMap<string, string> {
  const text = line.replace(/^[^<]*<(?:"(?:[^"\\]|\\.)*"|[^">])*>/, '');
  const words = text.split(' ').filter((word) => word !== '');
  return new Map(
    words.map((word) => [word.split('=', 1)[0]?.toUpperCase() ?? '', word.split('=').slice(1).join('=')]),
  );
}

/** The address between the angle brackets of MAIL or RCPT, UTF-8 read as such; undefined: there is none. */
export function pathIn(line: string): string | undefined {
  const [, path] = /^[^<]*<((?:"(?:[^"\\]|\\.)*"|[^">])*)>/.exec(line) ?? [];
  return path === undefined ? undefined : Buffer.from(path, 'latin1').toString('utf8');
}

/** As `C:` and `S:` lines; what may hold a secret is not shown. */
export function dialogueOf(connections: readonly Connection[]): readonly string[] {
  const transcript = new Transcript();
  for (const [index, exchanges] of connections.entries()) {
    if (connections.length > 1) transcript.note('C', `connection ${index + 1}`);
    let wasSecure = false;
    for (const { moment, sent, said, secure, ended } of exchanges) {
      if (secure && !wasSecure) transcript.note('C', 'under TLS');
      wasSecure = secure;
      if (moment === 'AUTH') transcript.note('C', `AUTH exchange, ${sent.length} octets`);
      else if (sent.length > 0) transcript.add('C', Buffer.from(sent, 'latin1'));
      if (said.length > 0) transcript.add('S', Buffer.from(said, 'latin1'));
      if (ended) transcript.note('S', 'ends the connection');
      if (moment === 'closed') transcript.note('C', 'the connection is closed');
    }
  }
  return transcript.lines;
}

/** Text of the client's for a finding, short, and without what it answers to AUTH. */
export const quoted = (text: string): string => {
  const open = text.replace(/^(AUTH [^ \r\n]+ )[^\r\n]+/gim, '$1…');
  const shown = printable(Buffer.from(open.slice(0, 120), 'latin1'));
  return `"${shown}${open.length > 120 ? ' …' : ''}"`;
};

/** What the client said, for a finding: an AUTH exchange may hold a password on any line, and is only named. */
export const named = ({ moment, line }: Exchange): string =>
  moment === 'AUTH' ? 'the AUTH exchange' : quoted(line || moment);
