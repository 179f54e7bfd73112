import { parse, v4, v5, v7, validate, version } from "uuid";

export const handler = async () => {
  const [random, timed] = [v4(), v7()];
  return {
    named: v5("example.com", v5.DNS),
    random: [validate(random), version(random)],
    timed: [validate(timed), version(timed)],
    bytes: parse("00000000-0000-4000-8000-0000000000ff")[15],
    differ: random !== v4(),
  };
};
