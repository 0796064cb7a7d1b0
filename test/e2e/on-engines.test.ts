import { onEngineSuite } from './on-engines-suite.ts';

onEngineSuite('docker');
