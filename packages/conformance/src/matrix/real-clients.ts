/** The clients of the matrix: what people send with, each as the command that its manual gives. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Setup } from '../clients/contract.js';

export interface RealClient {
  readonly name: string;
  /** A command that prints its version. */
  readonly version: readonly [command: string, ...parameters: string[]];
  readonly commands: Partial<Readonly<Record<Setup, string>>>;
  /** How it is told of the null reverse-path. @default the empty word */
  readonly nullPath?: string;
  /** What ends the lines of the file that it reads: a program of Unix expects LF. @default 'crlf' */
  readonly lineEnds?: 'lf' | 'crlf';
  /** Its file lacks the end of the last line, which it adds by itself. */
  readonly addsLastLineEnd?: boolean;
  /** It prints a line for each recipient, as `sansmtp send` does. */
  readonly printsVerdicts?: boolean;
}

const here = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const SANSMTP = here('../cli/bin/sansmtp.js');
const NODEMAILER = here('programs/nodemailer.mjs');
const SMTPLIB = here('programs/smtplib_client.py');

const sansmtp = (options: string) =>
  `node ${SANSMTP} send --host {host} --port {port} --hostname client.example.org --from {from} --to {to} --data {file} --timeout 60 ${options}`;
const curl = (scheme: string, options = '') =>
  `curl --silent --show-error --url ${scheme}://{host}:{port}/client.example.org --mail-from {from} --mail-rcpt {to} --upload-file {file} ${options}`;
const msmtp = (options: string) =>
  `msmtp --file=/dev/null --host={host} --port={port} --domain=client.example.org --from={from} ${options} -- {to}`;
const swaks = (options = '') =>
  `swaks --server {host} --port {port} --helo client.example.org --from {from} --to {recipients} --data @{file} --suppress-data ${options}`;
const nodemailer = (options = '') =>
  `node ${NODEMAILER} {host} {port} {from} {recipients} {file} {ca} {user} {password} ${options}`;
const smtplib = (options = '') =>
  `python3 ${SMTPLIB} {host} {port} {from} {recipients} {file} {ca} {user} {password} ${options}`;

export const REAL_CLIENTS: readonly RealClient[] = [
  {
    name: 'sansmtp send',
    version: ['node', SANSMTP, '--version'],
    commands: {
      plain: sansmtp(''),
      startTls: sansmtp('--tls required --tls-ca {ca}'),
      implicitTls: sansmtp('--tls implicit --tls-ca {ca}'),
      login: sansmtp('--tls required --tls-ca {ca} --user {user} --password-file {passwordfile}'),
      lmtp: sansmtp('--lmtp'),
    },
    nullPath: '<>',
    printsVerdicts: true,
  },
  {
    name: 'nodemailer',
    version: ['node', NODEMAILER, '--version'],
    commands: {
      plain: nodemailer('plain'),
      startTls: nodemailer('startTls'),
      implicitTls: nodemailer('implicitTls'),
      login: nodemailer('login'),
      lmtp: nodemailer('lmtp'),
    },
    printsVerdicts: true,
  },
  {
    name: 'curl',
    version: ['curl', '--version'],
    commands: {
      plain: curl('smtp'),
      startTls: curl('smtp', '--ssl-reqd --cacert {ca}'),
      implicitTls: curl('smtps', '--cacert {ca}'),
      login: curl('smtp', '--ssl-reqd --cacert {ca} --user {user}:{password}'),
    },
  },
  {
    name: 'msmtp',
    version: ['msmtp', '--version'],
    commands: {
      plain: msmtp('--tls=off --auth=off'),
      startTls: msmtp('--tls=on --tls-starttls=on --tls-trust-file={ca} --auth=off'),
      implicitTls: msmtp('--tls=on --tls-starttls=off --tls-trust-file={ca} --auth=off'),
      login: msmtp(
        '--tls=on --tls-starttls=on --tls-trust-file={ca} --auth=on --user={user} "--passwordeval=cat {passwordfile}"',
      ),
      lmtp: msmtp('--protocol=lmtp --tls=off --auth=off'),
    },
    nullPath: '<>',
    lineEnds: 'lf',
  },
  {
    name: 'swaks',
    version: ['swaks', '--version'],
    commands: {
      plain: swaks(),
      startTls: swaks('--tls --tls-verify --tls-ca-path {ca}'),
      implicitTls: swaks('--tls-on-connect --tls-verify --tls-ca-path {ca}'),
      login: swaks(
        '--tls --tls-verify --tls-ca-path {ca} --auth PLAIN,LOGIN --auth-user {user} --auth-password {password}',
      ),
      lmtp: swaks('--protocol LMTP'),
    },
    nullPath: '<>',
    lineEnds: 'lf',
    addsLastLineEnd: true,
  },
  {
    name: "Python's smtplib",
    version: ['python3', '--version'],
    commands: {
      plain: smtplib('plain'),
      startTls: smtplib('startTls'),
      implicitTls: smtplib('implicitTls'),
      login: smtplib('login'),
      lmtp: smtplib('lmtp'),
    },
    printsVerdicts: true,
  },
];

/** The version that its command prints; undefined: it is not installed. */
export function versionOf({ version: [command, ...parameters] }: RealClient): string | undefined {
  try {
    const text = execFileSync(command, parameters, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return /(?<!\d)\d{1,9}(?:\.\w{1,20}){1,9}/.exec(text)?.[0];
  } catch {
    return undefined;
  }
}
