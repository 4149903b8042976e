/**
 * Answers of a resolver, which need not be ours, looked at where they come in. A word that is none of an answer's, or no
 * records where some were found, would read as "there are none": mail would be bounced, or go past a policy.
 */
import { isIP } from 'node:net';
import type { DnsAnswer, MailExchanger } from './mail-resolver.js';

const KINDS: readonly unknown[] = ['found', 'none', 'noSuchDomain', 'temporary'];

/**
 * @param method what was asked
 * @param isRecord whether it is a record of that kind
 * @param records what they are, for a person
 * @throws {TypeError} it is no answer
 */
export function checkAnswer<DnsRecord>(
  method: string,
  answer: DnsAnswer<DnsRecord>,
  isRecord: (record: DnsRecord) => boolean,
  records: string,
): DnsAnswer<DnsRecord> {
  if (typeof answer !== 'object' || answer === null || !KINDS.includes(answer.kind)) {
    throw wrong(method, "an object whose kind is 'found', 'none', 'noSuchDomain' or 'temporary'");
  }
  if (answer.kind === 'temporary') return answer;
  if (answer.secure !== undefined && typeof answer.secure !== 'boolean') {
    throw wrong(method, 'true or false for secure');
  }
  if (answer.kind !== 'found') return answer;
  const found: unknown = answer.records;
  if (!Array.isArray(found) || found.length === 0) {
    throw wrong(method, "one record at least where its kind is 'found'");
  }
  if (!answer.records.every(isRecord)) throw wrong(method, records);
  return answer;
}

function wrong(method: string, takes: string): TypeError {
  return new TypeError(`The answer of ${method} is none: it takes ${takes}`);
}

export function checkMx(answer: DnsAnswer<MailExchanger>): DnsAnswer<MailExchanger> {
  return checkAnswer(
    'resolveMx()',
    answer,
    (record) => typeof record?.exchange === 'string' && Number.isFinite(record.preference),
    'records with an exchange, a text, and a preference, a number',
  );
}

export function checkAddresses(answer: DnsAnswer<string>): DnsAnswer<string> {
  const isAddress = (record: string): boolean => typeof record === 'string' && isIP(record) !== 0;
  return checkAnswer('resolveAddresses()', answer, isAddress, 'IPv4 and IPv6 addresses as texts');
}

export function checkTxt(answer: DnsAnswer<string>): DnsAnswer<string> {
  return checkAnswer('resolveTxt()', answer, (record) => typeof record === 'string', 'texts');
}
