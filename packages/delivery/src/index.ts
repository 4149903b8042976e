export {
  type DaneOutcome,
  type DaneVerdict,
  findDane,
  type TlsaRecord,
  type TlsaResolver,
  verifyDane,
} from './dane.js';
export {
  type DeliveryAction,
  type DeliveryStatus,
  type DeliveryStatusNotification,
  type NotificationOptions,
  type OriginalMessage,
  type RecipientStatus,
  writeDeliveryStatusNotification,
} from './delivery-status-notification.js';
export { DaneError, type Endpoint } from './destination.js';
export { type DomainConversion, toAsciiDomain, toUnicodeDomain } from './internationalized-domain.js';
export type { DnsAnswer, MailExchanger, MailResolver } from './mail-resolver.js';
export { type Maildir, type MaildirOptions, openMaildir, type StoredMessage } from './maildir.js';
export { type CloseOptions, createMailer, type Mailer, type SendOptions } from './mailer.js';
export type { MailerOptions, MailerRoutingOptions, OpenStream, PoolOptions } from './mailer-options.js';
export type { MessageBody, ReplayableBody } from './message-body.js';
export {
  type CachedPolicy,
  createPolicyFetch,
  type FetchPolicy,
  findStsPolicy,
  type PolicyCache,
  type PolicyResponse,
  type StsOptions,
  type StsOutcome,
  type StsPolicy,
} from './mta-sts.js';
export type { NodemailerDsn, NodemailerEnvelope } from './nodemailer-envelope.js';
export type { NodemailerError, NodemailerErrorFields } from './nodemailer-error.js';
export {
  type NodemailerMail,
  type NodemailerResult,
  type NodemailerTransport,
  type NodemailerTransportOptions,
  sansmtpTransport,
} from './nodemailer-transport.js';
export type { DeliveryPhase, DeliveryVerdict, RecipientVerdict } from './recipient-verdict.js';
export { createResolver, type ResolverOptions } from './resolver.js';
export {
  DEFAULT_RETRY_SCHEDULE,
  type DeliveryHistory,
  type NextAttempt,
  nextAttempt,
  type RetrySchedule,
} from './retry-schedule.js';
export {
  type Attempt,
  findRoute,
  type Route,
  type RoutingFailure,
  type RoutingOptions,
} from './routing.js';
export { type TlsRequirement, tlsRequirement } from './tls-requirement.js';
