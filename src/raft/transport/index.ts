/** Framed TCP between peers. See docs/internals/peer-protocol.md. */
export { CallError } from './call-error';
export type { CallHandler, IncomingCall } from './call-server';
export type { AddressAnswer, AddressCallOptions } from './address-call';
export {
  DEFAULT_LIMITS,
  systemTimers,
  type Admission,
  type Role,
  type Timers,
  type TransportEnvironment,
  type TransportLimits,
} from './environment';
export type { Hello, Identity, Lane } from './hello';
export { PeerTransport, type PeerStatistics, type PeerTransportOptions } from './peer-transport';
export { PortMultiplexer, type PortMultiplexerOptions } from './port-multiplexer';
export { dialTcp } from './tcp-dial';
