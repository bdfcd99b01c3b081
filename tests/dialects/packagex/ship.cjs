// Calls the unmodified client ship-node, whose requests go to another base URL.
// Arguments: the base URL, an API key, and the id of a shipment. Prints the responses as JSON.
const axios = require("axios").default;
const Ship = require("ship-node");

const [base, key, shipment] = process.argv.slice(2);
axios.interceptors.request.use((request) => {
  request.url = request.url.replace("https://api.packagex.io/v1", base);
  return request;
});
// The client also logs what it throws.
console.error = () => {};

const caught = (promise) => promise.catch((error) => error);

(async () => {
  const { shipments } = new Ship(key);
  const responses = {
    all: await shipments.list(),
    page: await shipments.list({ limit: 2, page: 2 }),
    delivered: await shipments.list({ status: "delivered", limit: 100 }),
    one: await shipments.retrieve(shipment),
    missing: await caught(shipments.retrieve("ship_unknown")),
    refused: await caught(new Ship("key_wrong").shipments.list()),
  };
  console.log(JSON.stringify(responses));
})();
