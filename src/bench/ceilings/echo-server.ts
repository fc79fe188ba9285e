/** The other end of the gRPC ceilings, in a process of its own as a node is: answers what it gets, and does nothing else. */
import { createServer, type AddressInfo } from 'node:net';
import {
  Server,
  ServerCredentials,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import { ECHO } from './echo-methods';

const server = new Server({ 'grpc-node.flow_control_window': 16 * 1024 * 1024, 'grpc.enable_channelz': 0 });
server.addService(ECHO, {
  unary: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => answer(null, call.request),
  // A short answer to a long message: as a batch of rows is answered.
  stream: (call: ServerDuplexStream<Buffer, Buffer>) => {
    call.on('data', (message: Buffer) => call.write(message.subarray(0, 64)));
    call.on('end', () => call.end());
  },
});
const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
const listener = createServer((socket) => injector.injectConnection(socket));
listener.listen(0, '127.0.0.1', () => process.send?.((listener.address() as AddressInfo).port));

// The measuring process has ended, however it ended.
process.on('disconnect', () => process.exit(0));
