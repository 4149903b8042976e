/** Runs a client once against a scripted server of the loopback interface, and sees what passes. */
import { inspect } from 'node:util';
import type { PassedMoment, Script } from '@sansmtp/testing';
import { openScriptedServer } from '@sansmtp/testing/node';
import { TEST_MESSAGE } from './client-case.js';
import type { ClientReport, ClientVerdict, RunResult, Setup, SmtpClient, Task } from './contract.js';
import { connectionsOf } from './conversation.js';
import type { Seen } from './judging.js';

export interface Scene {
  readonly script: Script | readonly Script[];
  readonly setup: Setup;
  readonly task?: Partial<Pick<Task, 'from' | 'to' | 'message'>> | undefined;
  readonly stranger?: boolean | undefined;
  /** Milliseconds within which the client has to come to an end. */
  readonly limit: number;
}

/** Milliseconds that a client has to close its connection after it has said what became of the message. */
const CLOSING_TIME = 1000;

/** For clients that want to log in; nobody's. */
const USER = 'probe';
const PASSWORD = 'correct-horse-7f3a';

const NEEDS_TLS: readonly Setup[] = ['startTls', 'implicitTls', 'login'];

/** A certificate that is not the server's. */
async function strangersCertificate(): Promise<string> {
  const stranger = await openScriptedServer({}, { tls: 'startTls' });
  await stranger.close();
  return stranger.certificate ?? '';
}

export async function observe(client: SmtpClient, scene: Scene): Promise<Seen> {
  const { script, setup, stranger = false, limit } = scene;
  const moments: PassedMoment[] = [];
  const open = new Set<number>();
  let onChange = () => {};
  const onMoment = (passed: PassedMoment) => {
    moments.push(passed);
    if (passed.moment === 'closed') open.delete(passed.connection);
    else open.add(passed.connection);
    onChange();
  };
  const server = await openScriptedServer(script, {
    realTime: true,
    protocol: setup === 'lmtp' ? 'lmtp' : 'smtp',
    onMoment,
    ...(NEEDS_TLS.includes(setup) && { tls: setup === 'implicitTls' ? 'implicit' : 'startTls' }),
  });
  const controller = new AbortController();
  const task: Task = {
    setup,
    host: '127.0.0.1',
    port: server.port,
    from: 'ann@example.org',
    to: ['bob@example.com'],
    message: TEST_MESSAGE,
    ca: stranger ? await strangersCertificate() : (server.certificate ?? ''),
    user: USER,
    password: PASSWORD,
    signal: controller.signal,
    ...scene.task,
  };
  let report: ClientReport;
  try {
    report = await reportOf(client, task, limit, controller);
    await within(CLOSING_TIME, (done) => {
      onChange = () => {
        if (moments.length > 0 && open.size === 0) done();
      };
      onChange();
    });
  } finally {
    controller.abort();
    await server.close(); // whatever stands is now closed, and told
  }
  return { connections: connectionsOf(moments), task, stranger, report };
}

/** False: the time is up first. */
function within(milliseconds: number, wait: (done: () => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), milliseconds);
    wait(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

async function reportOf(
  client: SmtpClient,
  task: Task,
  limit: number,
  controller: AbortController,
): Promise<ClientReport> {
  const none = { verdicts: task.to.map(() => 'failed' as const), each: false, output: '' };
  let report: ClientReport = { ...none, unfinished: true };
  const running = Promise.resolve()
    .then(() => client.run(task))
    .then(
      (result) => ({ ...readResult(result, task), unfinished: false }),
      (error: unknown) => ({ ...readError(error, task), unfinished: false }),
    );
  await within(limit, (done) => {
    void running.then((ended) => {
      report = ended;
      done();
    });
  });
  if (report.unfinished) controller.abort();
  return report;
}

type Word = Omit<ClientReport, 'unfinished'>;

const forAll = (task: Task, verdict: ClientVerdict, output: string): Word => ({
  verdicts: task.to.map(() => verdict),
  each: task.to.length === 1,
  output,
});

function readResult(result: RunResult, task: Task): Word {
  if (result === undefined) return forAll(task, 'delivered', '');
  if (typeof result === 'string') return forAll(task, result, '');
  if (isList(result)) return { verdicts: result, each: true, output: '' };
  const accepted = result.accepted.map(String);
  const verdicts = task.to.map((address) => (accepted.includes(address) ? 'delivered' : 'failed'));
  return { verdicts, each: true, output: inspect(result) };
}

function isList(result: RunResult): result is readonly ClientVerdict[] {
  return Array.isArray(result);
}

/** An error may say more: a `verdict`, or the `responseCode` of nodemailer; its `output` is what a command printed. */
function readError(error: unknown, task: Task): Word {
  const { verdict, responseCode, output } = Object(error) as Readonly<Record<string, unknown>>;
  const text = typeof output === 'string' ? output : inspect(error, { depth: 4 });
  if (typeof verdict === 'string') return forAll(task, verdict as ClientVerdict, text);
  const severity = String(responseCode)[0];
  return forAll(task, severity === '5' ? 'rejected' : severity === '4' ? 'deferred' : 'failed', text);
}
