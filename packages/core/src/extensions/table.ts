/**
 * The extension table: the lists of service extensions, in the order in which EHLO lists them, and how a session asks
 * the list that it was given: what a server offers, and the parameters of MAIL and RCPT both ways. A new extension is
 * a file of its own and a row here; ours and an embedder's are alike in all that is asked.
 *
 * What a list of extensions comes to is worked out when it is first seen, and kept: a list must not change once it
 * was used. A server passes its standing as it was at the last EHLO: what was offered then holds until the next, as
 * AUTH does, whose parameter may be given by a client that has authenticated (RFC 4954 §5).
 */
import type { Parameter } from '../wire/command.js';
import type { Reply } from '../wire/reply.js';
import { auth } from './auth.js';
import { binaryMime } from './binary-mime.js';
import { chunking } from './chunking.js';
import { deliverBy } from './deliver-by.js';
import { dsn } from './dsn.js';
import { eightBitMime } from './eight-bit-mime.js';
import { enhancedStatusCodes } from './enhanced-status-codes.js';
import { etrn } from './etrn.js';
import type { ParameterRule, ServiceExtension, SessionStanding } from './extension.js';
import { futureRelease } from './future-release.js';
import { help } from './help.js';
import { limits } from './limits.js';
import { malformedParameter } from './malformed-parameter.js';
import { mtPriority } from './mt-priority.js';
import { noSoliciting } from './no-soliciting.js';
import { ExtensionNotOfferedError } from './not-offered.js';
import type { MailParameters, RcptParameters } from './parameters.js';
import { pipelining } from './pipelining.js';
import { requireTls } from './require-tls.js';
import { rrvs } from './rrvs.js';
import { size } from './size.js';
import { smtpUtf8 } from './smtp-utf8.js';
import { startTls } from './start-tls.js';
import { xclient } from './xclient.js';
import { xforward } from './xforward.js';

/**
 * What a server offers by default, as things stand: all that the protocol alone can keep. The others are promises
 * of the application, to deliver in time or to hold, which it makes by listing them too.
 */
export const standardExtensions: readonly ServiceExtension[] = [
  pipelining,
  size,
  eightBitMime,
  enhancedStatusCodes,
  chunking,
  binaryMime,
  smtpUtf8,
  dsn,
  startTls,
  auth,
  xclient,
  xforward,
  help,
];

/** All of ours, for a client: without bounds of its own, for those that count are the server's. */
export const knownExtensions: readonly ServiceExtension[] = [
  ...standardExtensions,
  deliverBy(),
  futureRelease({ maximumSeconds: 999_999_999, maximumDate: '9999-12-31T23:59:59Z' }),
  mtPriority(),
  requireTls,
  rrvs,
  limits(),
  noSoliciting({ keywords: [] }),
  etrn,
];

/** A parameter's rule, and whose it is. */
interface Row<Parameters> {
  readonly extension: ServiceExtension;
  readonly rule: ParameterRule<Parameters>;
}

/** The parameters of one verb. */
interface Rules<Parameters> {
  readonly rows: readonly Row<Parameters>[];
  /** More than one where an extension adds values to another's parameter. */
  readonly byKeyword: ReadonlyMap<string, readonly Row<Parameters>[]>;
  /** Of extensions that are not on the list: a client must not leave out silently what is essential. */
  readonly unlisted: readonly Row<Parameters>[];
}

interface ExtensionTable {
  readonly byKeyword: ReadonlyMap<string, ServiceExtension>;
  readonly mail: Rules<MailParameters>;
  readonly rcpt: Rules<RcptParameters>;
  readonly additionalMailOctets: number;
  readonly additionalRcptOctets: number;
  readonly verbs: ReadonlySet<string>;
}

interface AnyParameters {
  readonly custom?: Readonly<Record<string, unknown>>;
}

function checkWord(what: string, word: string): string {
  if (/^[\dA-Z][\dA-Z-]*$/.test(word)) return word;
  throw new RangeError(
    `${JSON.stringify(word)} is no ${what}: it takes upper-case letters, digits and hyphens (RFC 5321 §4.1.2)`,
  );
}

function makeRules<Parameters>(
  extensions: readonly ServiceExtension[],
  unlisted: readonly ServiceExtension[],
  rulesOf: (extension: ServiceExtension) => readonly ParameterRule<Parameters>[] | undefined,
): Rules<Parameters> {
  const rowsOf = (extension: ServiceExtension): Row<Parameters>[] =>
    rulesOf(extension)?.map((rule) => ({ extension, rule })) ?? [];
  const rows = extensions.flatMap(rowsOf);
  const byKeyword = new Map<string, Row<Parameters>[]>();
  for (const row of rows) {
    const keyword = checkWord('parameter keyword', row.rule.keyword);
    byKeyword.set(keyword, [...(byKeyword.get(keyword) ?? []), row]);
  }
  return {
    rows,
    byKeyword,
    unlisted: unlisted.flatMap(rowsOf).filter(({ rule }) => rule.isEssential !== undefined),
  };
}

function makeTable(extensions: readonly ServiceExtension[]): ExtensionTable {
  const byKeyword = new Map<string, ServiceExtension>();
  for (const extension of extensions) {
    const keyword = checkWord('EHLO keyword', extension.keyword);
    if (byKeyword.has(keyword)) throw new RangeError(`Service extension ${keyword} is listed twice`);
    byKeyword.set(keyword, extension);
  }
  const unlisted = knownExtensions.filter(({ keyword }) => !byKeyword.has(keyword));
  return {
    byKeyword,
    mail: makeRules(extensions, unlisted, ({ mailParameters }) => mailParameters),
    rcpt: makeRules(extensions, unlisted, ({ rcptParameters }) => rcptParameters),
    additionalMailOctets: extensions.reduce((sum, one) => sum + (one.additionalMailOctets ?? 0), 0),
    additionalRcptOctets: extensions.reduce((sum, one) => sum + (one.additionalRcptOctets ?? 0), 0),
    verbs: new Set(extensions.flatMap(({ verbs = [] }) => verbs.map((verb) => checkWord('verb', verb)))),
  };
}

const tables = new WeakMap<readonly ServiceExtension[], ExtensionTable>();

function tableOf(extensions: readonly ServiceExtension[]): ExtensionTable {
  let table = tables.get(extensions);
  if (table === undefined) {
    table = makeTable(extensions);
    tables.set(extensions, table);
  }
  return table;
}

/** What stands behind the keyword in the reply to EHLO; undefined: not offered. */
function offerOf(
  table: ExtensionTable,
  extension: ServiceExtension,
  standing: SessionStanding,
): string | undefined {
  if (extension.requires !== undefined) {
    const required = table.byKeyword.get(extension.requires);
    if (required === undefined || offerOf(table, required, standing) === undefined) return undefined;
  }
  return extension.offer === undefined ? '' : extension.offer(standing);
}

/**
 * The lines of the reply to EHLO after the first (RFC 5321 §4.1.1.1).
 * @throws {RangeError} as every function here does for a list with an extension twice, or with malformed keywords
 */
export function offeredKeywords(
  extensions: readonly ServiceExtension[],
  standing: SessionStanding,
): string[] {
  const table = tableOf(extensions);
  return extensions.flatMap((extension) => {
    const offer = offerOf(table, extension, standing);
    if (offer === undefined) return [];
    return [offer === '' ? extension.keyword : `${extension.keyword} ${offer}`];
  });
}

/** Whether the server's reply to EHLO has the keyword (in upper case). */
export function isOffered(
  extensions: readonly ServiceExtension[],
  keyword: string,
  standing: SessionStanding,
): boolean {
  const table = tableOf(extensions);
  const extension = table.byKeyword.get(keyword);
  return extension !== undefined && offerOf(table, extension, standing) !== undefined;
}

/** Octets that a MAIL command line may be longer than any other, all extensions together. */
export function additionalMailOctets(extensions: readonly ServiceExtension[]): number {
  return tableOf(extensions).additionalMailOctets;
}

/** Octets that a RCPT command line may be longer than any other, all extensions together. */
export function additionalRcptOctets(extensions: readonly ServiceExtension[]): number {
  return tableOf(extensions).additionalRcptOctets;
}

/** The verbs that the extensions add. */
export function customVerbs(extensions: readonly ServiceExtension[]): ReadonlySet<string> {
  return tableOf(extensions).verbs;
}

/** RFC 5321 §4.1.1.11: a parameter that no offered extension defines. */
export function unknownParameter(keyword: string, verb: 'MAIL' | 'RCPT'): Reply {
  const text = `${keyword.slice(0, 64)} is not a parameter of ${verb} that was offered`;
  return { code: 555, enhancedCode: '5.5.4', lines: [text] };
}

function isReply(read: object): read is Reply {
  return 'code' in read;
}

function readParameter<Parameters extends AnyParameters>(
  { keyword, value }: Parameter,
  table: ExtensionTable,
  rules: Rules<Parameters>,
  standing: SessionStanding,
  verb: 'MAIL' | 'RCPT',
): Parameters | Reply {
  let refusal: Reply | undefined;
  for (const { extension, rule } of rules.byKeyword.get(keyword) ?? []) {
    if (offerOf(table, extension, standing) === undefined) continue;
    const read = rule.parse(value, standing);
    if (!isReply(read)) return read;
    refusal = read;
  }
  return refusal ?? unknownParameter(keyword, verb);
}

/** @param typed empty; it is filled property by property, which costs a tenth of what spreading does */
function readParameters<Parameters extends AnyParameters>(
  parameters: readonly Parameter[],
  table: ExtensionTable,
  rules: Rules<Parameters>,
  standing: SessionStanding,
  verb: 'MAIL' | 'RCPT',
  typed: Parameters,
): { readonly parameters: Parameters } | { readonly refusal: Reply } {
  let custom: AnyParameters['custom'];
  for (const parameter of parameters) {
    const read = readParameter(parameter, table, rules, standing, verb);
    if (isReply(read)) return { refusal: read };
    for (const name in read) {
      if (name === 'custom') {
        custom = { ...custom, ...read.custom };
      } else if (name in typed) {
        // Two that mean the same thing, as HOLDFOR and HOLDUNTIL do (RFC 4865 §4.2).
        const other = parameters.find((one) => name in readParameter(one, table, rules, standing, verb));
        const text = `${other?.keyword} and ${parameter.keyword} exclude each other`;
        return { refusal: malformedParameter(text) };
      } else {
        typed[name] = read[name];
      }
    }
  }
  return { parameters: custom === undefined ? typed : { ...typed, custom } };
}

/**
 * The parameters of a MAIL command in typed form, or the reply that refuses them.
 * @param standing as at the last EHLO
 */
export function readMailParameters(
  parameters: readonly Parameter[],
  extensions: readonly ServiceExtension[],
  standing: SessionStanding,
): { readonly parameters: MailParameters } | { readonly refusal: Reply } {
  const table = tableOf(extensions);
  return readParameters(parameters, table, table.mail, standing, 'MAIL', {});
}

/**
 * The parameters of a RCPT command in typed form, or the reply that refuses them.
 * @param standing as at the last EHLO
 */
export function readRcptParameters(
  parameters: readonly Parameter[],
  extensions: readonly ServiceExtension[],
  standing: SessionStanding,
): { readonly parameters: RcptParameters } | { readonly refusal: Reply } {
  const table = tableOf(extensions);
  return readParameters(parameters, table, table.rcpt, standing, 'RCPT', {});
}

function writeParameters<Parameters>(
  parameters: Parameters,
  { rows, unlisted }: Rules<Parameters>,
  keywords: ReadonlyMap<string, string>,
): Parameter[] {
  const written: Parameter[] = [];
  for (const { extension, rule } of rows) {
    const offered = keywords.get(extension.keyword);
    if (offered === undefined || (extension.requires !== undefined && !keywords.has(extension.requires))) {
      if (rule.isEssential?.(parameters)) throw new ExtensionNotOfferedError(extension.keyword);
      continue;
    }
    const value = rule.format(parameters, offered);
    if (value === true) written.push({ keyword: rule.keyword });
    else if (value !== undefined) written.push({ keyword: rule.keyword, value });
  }
  for (const { extension, rule } of unlisted) {
    if (rule.isEssential?.(parameters)) throw new ExtensionNotOfferedError(extension.keyword);
  }
  return written;
}

/**
 * The parameters that a client sends with MAIL: those of which the server offered the extension.
 * @param keywords from the reply to the last EHLO
 * @throws {ExtensionNotOfferedError} the mail must not be sent without one that was not offered
 * @throws {RangeError} a value cannot be written
 */
export function writeMailParameters(
  parameters: MailParameters,
  extensions: readonly ServiceExtension[],
  keywords: ReadonlyMap<string, string>,
): Parameter[] {
  return writeParameters(parameters, tableOf(extensions).mail, keywords);
}

/**
 * The parameters that a client sends with RCPT: those of which the server offered the extension.
 * @param keywords from the reply to the last EHLO
 * @throws {ExtensionNotOfferedError} the mail must not be sent to this recipient without one that was not offered
 * @throws {RangeError} a value cannot be written
 */
export function writeRcptParameters(
  parameters: RcptParameters,
  extensions: readonly ServiceExtension[],
  keywords: ReadonlyMap<string, string>,
): Parameter[] {
  return writeParameters(parameters, tableOf(extensions).rcpt, keywords);
}
