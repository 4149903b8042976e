/** What a case needs, and whether this server has it. */
import type { ConformanceCase, Need } from '../contract/case.js';
import type { Survey } from '../contract/survey.js';
import type { KnownServer } from './server-to-test.js';

/** Why the case cannot be judged; undefined: it can. */
export function unmetNeed(
  { needs = [] }: ConformanceCase,
  server: KnownServer,
  survey: Survey,
): string | undefined {
  for (const need of needs) {
    const problem = problemWith(need, server, survey);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function problemWith(need: Need, server: KnownServer, survey: Survey): string | undefined {
  const isOffered = (keyword: string) =>
    survey.offers.has(keyword) || survey.offersUnderTls?.has(keyword) === true;
  switch (need) {
    case 'mail':
      return survey.noMail;
    case 'smtp':
    case 'lmtp':
      return server.protocol === need ? undefined : `this is about ${need.toUpperCase()}`;
    case 'credentials':
      if (server.credentials === undefined) return 'no credentials were given';
      return isOffered('AUTH') ? undefined : 'AUTH is not offered';
    case 'implicit TLS':
      return server.connectTls === undefined ? 'no port with implicit TLS was given' : undefined;
    case 'stored messages':
      return server.received === undefined ? 'what the server stores cannot be seen' : undefined;
    default:
      return isOffered(need) ? undefined : `${need} is not offered`;
  }
}
