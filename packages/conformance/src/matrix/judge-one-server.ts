/** All verdicts on one server of the matrix: over each of its ports, and by what it stores. */
import { connect } from '@sansmtp/transport-node';
import { serverGroups } from '../cases/index.js';
import { lmtp } from '../cases/lmtp.js';
import { stored } from '../cases/mail-data/stored.js';
import type { CaseGroup } from '../contract/case.js';
import type { Verdict } from '../contract/outcome.js';
import { generate } from '../generated/generation.js';
import { type Examination, examine } from '../running/examination.js';
import { type JudgeOptions, judgeAll } from '../running/judge-all.js';
import { isSelected } from '../running/selection.js';
import type { ServerToTest } from '../running/server-to-test.js';
import { takeFrom } from './servers/maildir.js';
import { CREDENTIALS, type Launch, type Place, RECIPIENT, SENDER } from './servers/server.js';

export const GENERATED_DIALOGUES = 60;
const SEED = 5321;
const GENERATED = 'generated/model';

/** Milliseconds for one server; the cases left are skipped then. */
const TIME_FOR_A_SERVER = 30 * 60_000;

/**
 * Verdicts by ids, in the order of the cases.
 * @param only the cases to judge, as `--only` of `sansmtp probe` has them; undefined: all
 */
export async function verdictsOn(
  place: Place,
  { has = {} }: Launch,
  only: string | undefined,
): Promise<readonly Verdict[]> {
  const host = '127.0.0.1';
  const to = (port: number, mode: 'startTls' | 'implicit') => () =>
    connect({ host, port, tls: { mode, verify: false } });
  const server: ServerToTest = {
    connect: to(place.port, 'startTls'),
    ...(has.implicitTls === true && { connectTls: to(place.tlsPort, 'implicit') }),
    ...(has.users === true && { credentials: CREDENTIALS }),
    from: SENDER,
    to: RECIPIENT,
    hostname: 'client.matrix.example',
    replyTime: 15_000,
    connectionsPerSecond: 40,
    // The servers are our own: nobody is kept out by wrong logins.
    betweenWrongLogins: 300,
  };
  const verdicts = new Map<string, Verdict>();
  const judge = async (examination: Examination, groups: readonly CaseGroup[], options?: JudgeOptions) => {
    for await (const verdict of judgeAll(examination, groups, { only, ...options }))
      verdicts.set(verdict.id, verdict);
  };
  const judgeEverything = async () => {
    const examination = await examine(server);
    await judge(examination, serverGroups);
    if (examination.survey.noMail === undefined && isSelected(GENERATED, only)) {
      const generated = await generate(examination, { runs: GENERATED_DIALOGUES, seed: SEED });
      verdicts.set(generated.id, generated);
    }
    if (has.maildir !== undefined) {
      const received = takeFrom(has.maildir);
      // One at a time: what is stored has to be the case's own.
      await judge(await examine({ ...server, received }), [stored], { atOnce: 1 });
    }
    if (has.lmtp === true) {
      const { credentials: _, connectTls: __, ...rest } = server;
      const ofLmtp = { ...rest, connect: to(place.lmtpPort, 'startTls'), protocol: 'lmtp' } as const;
      await judge(await examine(ofLmtp), [lmtp]);
    }
  };
  const isOver = new Promise((resolve) => setTimeout(resolve, TIME_FOR_A_SERVER).unref());
  await Promise.race([judgeEverything(), isOver]);
  const wanted = serverGroups.flatMap(({ cases }) => cases).filter(({ id }) => isSelected(id, only));
  const left = wanted.filter(({ id }) => !verdicts.has(id));
  return [
    ...verdicts.values(),
    ...left.map(({ id, section, level, rationale }) => ({
      ...{ id, section, level, rationale, dialogue: [], milliseconds: 0 },
      outcome: { result: 'skipped' as const, reason: 'the time for this server was over' },
    })),
  ];
}
