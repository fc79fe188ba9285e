import { CallError, type AddressAnswer, type AddressCallOptions } from '../../src/raft/transport';
import type { Message, NodeId } from '../../src/raft/core';
import type { Calls } from './calls';
import type { ProcessLife } from './process-life';

/**
 * What one process knows of where its peers are, as PeerTransport does: to whom it has no address it cannot speak, and at
 * an address somebody else may be by now.
 */
export class SimTransport {
  private readonly addresses = new Map<NodeId, string>();

  constructor(
    private readonly life: ProcessLife,
    private readonly calls: Calls,
    private readonly self: { readonly name: string; readonly id: () => NodeId },
    private readonly carry: (message: Message, address: string) => void,
  ) {}

  setAddress(id: NodeId, address: string): void {
    this.addresses.set(id, address);
  }

  removePeer(id: NodeId): void {
    this.addresses.delete(id);
  }

  send(to: NodeId, message: Message): void {
    const address = this.addresses.get(to);
    if (address !== undefined && this.life.isAlive) this.carry(message, address);
  }

  async call(to: NodeId, _group: number, method: number, body: Buffer, deadlineMs: number): Promise<Buffer> {
    const address = this.addresses.get(to);
    if (address === undefined) {
      throw new CallError('UNAVAILABLE', 'PEER_UNREACHABLE', `no address is known of ${to}`, { sent: false });
    }
    return (await this.calls.call(this.caller(), { address, id: to }, method, body, deadlineMs)).body;
  }

  callAddress(
    address: string,
    method: number,
    body: Buffer,
    { deadlineMs }: AddressCallOptions,
  ): Promise<AddressAnswer> {
    return this.calls.call(this.caller(), { address, id: undefined }, method, body, deadlineMs);
  }

  private caller() {
    return { life: this.life, name: this.self.name, id: this.self.id() };
  }
}
