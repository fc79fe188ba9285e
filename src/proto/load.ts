/**
 * Loads the published .proto files and makes gRPC service definitions of them. The same folder serves the sources
 * (src/proto), the build (dist/proto) and a packed install: it lies two levels above this file in all three.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadSync, type MessageTypeDefinition, type PackageDefinition } from '@grpc/proto-loader';
import { type MethodDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import { type ClusterDefinition } from './cluster-v1';
import { type LedgerDefinition } from './ledger-v1';
import { type LogDefinition } from './log-v1';
import { Malformed } from './malformed';
import { checkWire, compileShape, type MessageType } from './wire-check';

const FILES = ['log/v1/log.proto', 'ledger/v1/ledger.proto', 'cluster/v1/cluster.proto'];

interface Definitions {
  'log.v1.Log': LogDefinition;
  'ledger.v1.Ledger': LedgerDefinition;
  'cluster.v1.Cluster': ClusterDefinition;
}

export type ServiceName = keyof Definitions;

/** The folder that holds log/v1, ledger/v1 and cluster/v1. Throws where it is missing. */
export function protoFolder(): string {
  const folder = join(__dirname, '..', '..', 'proto');
  if (!existsSync(join(folder, FILES[0]!))) {
    throw new Error(`The .proto files are missing: expected them in ${folder}. Install the package again.`);
  }
  return folder;
}

let loaded: PackageDefinition | undefined;

/**
 * Everything in the published files, as reflection wants it. 64-bit integers are decimal strings (no precision is
 * lost), enums are numbers, field names are those of the files.
 */
export function publishedPackage(): PackageDefinition {
  loaded ??= loadSync(FILES, { includeDirs: [protoFolder()], keepCase: true, longs: String, defaults: true });
  return loaded;
}

/** A client's definition of one service. */
export function clientDefinition<N extends ServiceName>(name: N): Definitions[N] {
  return serviceIn(publishedPackage(), name) as unknown as Definitions[N];
}

/**
 * A server's definition of one service. A request that does not decode comes out as a `Malformed` value instead of an
 * exception: grpc-js would answer INTERNAL to that, and the fault is the caller's. Decoding is strict, see wire-check.ts.
 */
export function serverDefinition(name: ServiceName): ServiceDefinition {
  const definitions = publishedPackage();
  const service = serviceIn(definitions, name);
  const strict: Record<string, MethodDefinition<object, object>> = {};
  for (const [method, definition] of Object.entries(service)) {
    strict[method] = { ...definition, requestDeserialize: strictDecoder(definition, definitions) };
  }
  return strict;
}

type LoadedMethod = MethodDefinition<object, object> & { requestType: MessageTypeDefinition<object, object> };

function serviceIn(definitions: PackageDefinition, name: string): Record<string, LoadedMethod> {
  const definition = definitions[name];
  if (definition === undefined) throw new Error(`The .proto files in ${protoFolder()} do not define ${name}.`);
  return definition as unknown as Record<string, LoadedMethod>;
}

function strictDecoder(method: LoadedMethod, definitions: PackageDefinition): (bytes: Buffer) => object {
  const scope = method.path.slice(1, method.path.lastIndexOf('.'));
  const shape = compileShape(method.requestType.type as MessageType, scope, (name) => {
    const found = definitions[name];
    return found === undefined ? undefined : (found as MessageTypeDefinition<object, object>).type;
  });
  return (bytes) => {
    const fault = checkWire(bytes, shape);
    if (fault !== undefined) return new Malformed(fault);
    try {
      return method.requestDeserialize(bytes);
    } catch (error) {
      return new Malformed(error instanceof Error ? error.message : String(error));
    }
  };
}
