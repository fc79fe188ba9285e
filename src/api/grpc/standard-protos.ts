/**
 * Standard protocols, as definitions in code: grpc.health.v1 (without List, which is optional and whose map the loader
 * describes wrongly to reflection), and the messages of google.rpc that this server's errors carry, so that a tool that
 * knows only reflection can show them.
 *
 * Source: the gRPC health checking protocol; googleapis, google/rpc/error_details.proto. A map is written here as what it
 * is on the wire, a repeated entry of key and value.
 */
import { type ServiceDefinition } from '@grpc/grpc-js';
import { fromJSON, type PackageDefinition } from '@grpc/proto-loader';

const HEALTH = {
  HealthCheckRequest: { fields: { service: { type: 'string', id: 1 } } },
  HealthCheckResponse: {
    fields: { status: { type: 'ServingStatus', id: 1 } },
    nested: { ServingStatus: { values: { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } } },
  },
  Health: {
    methods: {
      Check: { requestType: 'HealthCheckRequest', responseType: 'HealthCheckResponse', comment: 'Now.' },
      Watch: {
        requestType: 'HealthCheckRequest',
        responseType: 'HealthCheckResponse',
        responseStream: true,
        comment: 'Now, and each time it changes.',
      },
    },
  },
};

const ERROR_DETAILS = {
  ErrorInfo: {
    fields: {
      reason: { type: 'string', id: 1 },
      domain: { type: 'string', id: 2 },
      metadata: { rule: 'repeated', type: 'MetadataEntry', id: 3 },
    },
    nested: { MetadataEntry: { fields: { key: { type: 'string', id: 1 }, value: { type: 'string', id: 2 } } } },
  },
  BadRequest: {
    fields: { field_violations: { rule: 'repeated', type: 'FieldViolation', id: 1 } },
    nested: {
      FieldViolation: { fields: { field: { type: 'string', id: 1 }, description: { type: 'string', id: 2 } } },
    },
  },
  RetryInfo: {
    fields: { retry_delay: { type: 'Delay', id: 1 } },
    nested: { Delay: { fields: { seconds: { type: 'int64', id: 1 }, nanos: { type: 'int32', id: 2 } } } },
  },
};

/** Definitions of both, for reflection. */
export function standardPackage(): PackageDefinition {
  return fromJSON(
    {
      nested: {
        grpc: { nested: { health: { nested: { v1: { nested: HEALTH } } } } },
        google: { nested: { rpc: { nested: ERROR_DETAILS } } },
      },
    },
    { keepCase: true, longs: String, defaults: true },
  );
}

export function healthDefinition(): ServiceDefinition {
  return standardPackage()['grpc.health.v1.Health'] as ServiceDefinition;
}
