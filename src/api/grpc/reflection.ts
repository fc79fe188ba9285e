/** Server reflection, v1 and v1alpha: any gRPC tool can list and call the services with no file at hand. */
import {
  type handleBidiStreamingCall,
  type Server,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { publishedPackage } from '../../proto/load';
import { shuttingDown } from '../errors';
import { type Door, failStream } from './door';
import { standardPackage } from './standard-protos';

type Handler = handleBidiStreamingCall<object, object>;

export function addReflection(server: Server, door: Door): void {
  const service = new ReflectionService({ ...publishedPackage(), ...standardPackage() });
  const tended = {
    addService: (definition: ServiceDefinition, implementation: UntypedServiceImplementation): void => {
      const handlers = Object.entries(implementation).map(([name, handler]) => [name, tend(handler as Handler, door)]);
      server.addService(definition, Object.fromEntries(handlers) as UntypedServiceImplementation);
    },
  };
  service.addToServer(tended);
}

/** The library answers whether or not anybody reads, and never ends a stream: this waits for the reader, and ends. */
function tend(handler: Handler, door: Door): Handler {
  return (call) => {
    const { calls } = door;
    const leave = calls.enter();
    const stop = (): void => failStream(call, door.failure(shuttingDown(), 'Reflection'));
    const end = (): void => {
      calls.stopSignal.removeEventListener('abort', stop);
      leave();
    };
    call.once('cancelled', end);
    call.once('close', end);
    calls.stopSignal.addEventListener('abort', stop, { once: true });
    handler(call);
    call.on('data', () => {
      if (!call.writableNeedDrain) return;
      call.pause();
      call.once('drain', () => call.resume());
    });
    if (calls.stopping) stop();
  };
}
