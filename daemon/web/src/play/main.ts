import { start } from '../ui/shell';

start(() => undefined, 'chess');
