export type { MessageBody, ReplayableBody } from './bodies/message-body.js';
export { type SpooledBody, spoolBody } from './bodies/spool.js';
export {
  type Maildir,
  type MaildirOptions,
  openMaildir,
  type StorableMessage,
  type StoredMessage,
} from './maildir/maildir.js';
export { type Receipt, receivedField } from './maildir/trace-header.js';
export { type CloseOptions, createMailer, type Mailer, type SendOptions } from './mailer/mailer.js';
export type {
  MailerOptions,
  MailerRoutingOptions,
  PoolOptions,
} from './mailer/mailer-options.js';
export {
  clientEnvelopeOf,
  type NodemailerDsn,
  type NodemailerEnvelope,
} from './nodemailer/nodemailer-envelope.js';
export type { NodemailerError, NodemailerErrorFields } from './nodemailer/nodemailer-error.js';
export {
  type NodemailerMail,
  type NodemailerResult,
  type NodemailerTransport,
  type NodemailerTransportOptions,
  sansmtpTransport,
} from './nodemailer/nodemailer-transport.js';
export {
  type DeliveryAction,
  type DeliveryStatus,
  type DeliveryStatusNotification,
  type NotificationOptions,
  type OriginalMessage,
  type RecipientStatus,
  writeDeliveryStatusNotification,
} from './notifications/delivery-status-notification.js';
export {
  DEFAULT_RETRY_SCHEDULE,
  type DeliveryHistory,
  type NextAttempt,
  nextAttempt,
  type RetrySchedule,
} from './notifications/retry-schedule.js';
export {
  type DaneOutcome,
  type DaneVerdict,
  findDane,
  type TlsaRecord,
  type TlsaResolver,
  verifyDane,
} from './policies/dane.js';
export {
  type CachedPolicy,
  createPolicyFetch,
  type FetchPolicy,
  findStsPolicy,
  type PolicyCache,
  type PolicyResponse,
  refreshStsPolicies,
  type StsOptions,
  type StsOutcome,
} from './policies/mta-sts.js';
export type { StsPolicy } from './policies/sts-policy.js';
export { type TlsRequirement, tlsRequirement } from './policies/tls-requirement.js';
export { comparableDomain, sameMailbox } from './routing/comparable-domain.js';
export { type DomainConversion, toAsciiDomain, toUnicodeDomain } from './routing/internationalized-domain.js';
export type { DnsAnswer, MailExchanger, MailResolver } from './routing/mail-resolver.js';
export { createResolver, type ResolverOptions } from './routing/resolver.js';
export {
  type Attempt,
  findRoute,
  type Route,
  type RoutingFailure,
  type RoutingOptions,
} from './routing/routing.js';
export { DaneError } from './sessions/destination.js';
export type { Endpoint, OpenStream } from './sessions/endpoint.js';
export {
  CredentialsError,
  type CredentialsSource,
  type MailerAuthentication,
} from './sessions/session-credentials.js';
export type { DeliveryPhase, DeliveryVerdict, RecipientVerdict } from './verdicts/recipient-verdict.js';
export { UnwritableAddressError } from './verdicts/unwritable-address.js';
