import 'no-such-package-of-ours';
export const handler = async () => 1;
