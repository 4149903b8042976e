export { type Maildir, type MaildirOptions, openMaildir, type StoredMessage } from './maildir.js';
