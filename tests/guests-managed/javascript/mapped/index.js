"use strict";
exports.handler = async () => {
    throw new Error("mapped");
};
exports.logged = async () => { console.error(new Error("logged")); };
//# sourceMappingURL=index.js.map
