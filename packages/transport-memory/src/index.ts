export { createMemoryPair, type MemoryPairOptions } from './memory-stream.js';
export type { MemoryTlsOptions } from './memory-tls.js';
export { createVirtualClock, type VirtualClock, type VirtualClockOptions } from './virtual-clock.js';
