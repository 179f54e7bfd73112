from dateutil import parser, rrule, tz
from dateutil.relativedelta import relativedelta


def lambda_handler(event, context):
    at = parser.parse(event["at"])
    days = rrule.rrule(rrule.WEEKLY, count=3, dtstart=at)
    return {
        "at": at.astimezone(tz.UTC).isoformat(),
        "later": (at + relativedelta(months=1)).date().isoformat(),
        "days": [day.date().isoformat() for day in days],
    }
