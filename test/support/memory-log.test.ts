import { describeLogStore } from './log-store-contract';
import { MemoryLog } from './memory-log';

describeLogStore('MemoryLog', async () => new MemoryLog());
