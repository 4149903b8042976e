/** `@sansmtp/smtp-server`: the API of npm's smtp-server 3.21. docs/smtp-server.md says what differs. */
import { SMTPServer } from './server.js';

export { type ConnectionOptions, SMTPConnection } from './connection/connection.js';
export { SMTPServer, type SMTPServerEventError, type SMTPServerEvents } from './server.js';
export type * from './types.js';

/** For `import smtpServer from`, and for `require()`. */
export default { SMTPServer };
