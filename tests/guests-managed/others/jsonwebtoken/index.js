const jwt = require("jsonwebtoken");

exports.handler = async ({ secret, other }) => {
  const token = jwt.sign({ sub: "ada", iat: 1700000000 }, secret, { algorithm: "HS256" });
  let refused = null;
  try {
    jwt.verify(token, other);
  } catch (error) {
    refused = [error.name, error.message];
  }
  return { token, subject: jwt.verify(token, secret).sub, refused };
};
