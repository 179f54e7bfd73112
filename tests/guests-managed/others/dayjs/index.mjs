import dayjs from "dayjs";
import duration from "dayjs/plugin/duration.js";
import utc from "dayjs/plugin/utc.js";

dayjs.extend(duration);
dayjs.extend(utc);

export const handler = async ({ at }) => ({
  text: dayjs.utc(at).format("dddd, D MMMM YYYY HH:mm"),
  later: dayjs.utc(at).add(1, "month").endOf("month").toISOString(),
  days: dayjs.utc(at).diff(dayjs.utc("2026-01-01"), "day"),
  span: dayjs.duration({ hours: 25, minutes: 3 }).toISOString(),
});
