import { Logger } from "@aws-lambda-powertools/logger";

const logger = new Logger({ serviceName: "orders", logLevel: "INFO" });

export const handler = async (event, context) => {
  logger.addContext(context);
  logger.appendKeys({ order: event.order });
  logger.debug("not shown");
  logger.info("an order came in", { items: event.items });
  return { level: logger.getLevelName() };
};
