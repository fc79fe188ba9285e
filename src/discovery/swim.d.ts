/**
 * What discovery uses of npm `swim` 0.6.0, which has no types of its own. Some of these members are internal to it: they
 * are what ./hardened-swim.ts replaces on one instance, and the exact version is pinned for their sake.
 */
declare module 'swim' {
  import { type EventEmitter } from 'node:events';
  import { type Socket } from 'node:dgram';
  import type Member from 'swim/lib/member';

  namespace Swim {
    interface MemberData<Meta> {
      meta: Meta;
      host: string;
      /** 0 alive, 1 suspect, 2 faulty. */
      state: 0 | 1 | 2;
      incarnation: number;
    }

    interface Options<Meta> {
      local: { host: string; meta: Meta; incarnation: number };
      codec: 'json';
      interval: number;
      pingTimeout: number;
      pingReqTimeout: number;
      pingReqGroupSize: number;
      suspectTimeout: number;
      udp: { type: 'udp4' | 'udp6'; maxDgramSize: number };
      preferCurrentMeta: boolean;
    }

    type Message<Meta> =
      | { type: 10 | 13; data: { seq: number } }
      | { type: 11; data: { seq: number; destination: string } }
      | { type: 12 | 14; data: MemberData<Meta> };

    interface Net<Meta> extends EventEmitter {
      udpSocket: Socket;
      messageListener: (datagram: Buffer, from: unknown) => void;
      listen(callback: (error?: Error) => void): void;
      close(): void;
      /** Piggybacks pending updates on the message. */
      sendMessage(message: Message<Meta>, host: string): void;
      /** Packs the messages into as few datagrams as they fit into. */
      sendMessages(messages: Message<Meta>[], host: string): void;
      sendBuffer(buffer: Buffer, host: string): void;
    }

    interface Membership<Meta> extends EventEmitter {
      readonly local: Member<Meta>;
      readonly hostToMember: Record<string, Member<Meta>>;
      readonly hostToIterable: Record<string, Member<Meta>>;
      readonly hostToFaulty: Record<string, Member<Meta>>;
      suspectListener: (member: Member<Meta>) => void;
      onUpdate(data: MemberData<Meta>): void;
      updateFaulty(data: MemberData<Meta>): void;
      sync(hosts: string[]): void;
      get(host: string): Member<Meta> | undefined;
      all(withLocal: boolean, withFaulty: boolean): MemberData<Meta>[];
      isLocal(host: string): boolean;
      updateMeta(meta: Meta): void;
    }

    interface Disseminator {
      removeUpdate(update: { host: string }): void;
    }

    interface FailureDetector {
      seq: number;
    }

    interface Codec {
      encode(data: unknown): Buffer;
      decode(buffer: Buffer): unknown;
    }
  }

  class Swim<Meta> {
    constructor(options: Swim.Options<Meta>);
    readonly net: Swim.Net<Meta>;
    readonly membership: Swim.Membership<Meta>;
    readonly failureDetector: Swim.FailureDetector;
    readonly disseminator: Swim.Disseminator;
    readonly codec: Swim.Codec;
    bootstrap(hosts: string[], callback: (error?: Error) => void): void;
    /** Stops everything and closes the socket; it tells nobody. */
    leave(): void;
  }

  export = Swim;
}

declare module 'swim/lib/member' {
  import type Swim from 'swim';

  class Member<Meta> {
    constructor(data: Swim.MemberData<Meta>);
    readonly meta: Meta;
    readonly host: string;
    readonly state: 0 | 1 | 2;
    readonly incarnation: number;
    /** A deep copy. */
    data(): Swim.MemberData<Meta>;
  }

  export = Member;
}
