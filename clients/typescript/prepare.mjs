// Builds dist. npm runs this when it installs the package from a directory, where it does not install what building takes.
import { execSync } from "node:child_process";
import { existsSync } from "node:fs";

if (!existsSync("node_modules/typescript")) {
  execSync("npm ci --ignore-scripts --no-audit --no-fund", { stdio: ["ignore", "ignore", "inherit"] });
}
execSync("npm run build", { stdio: ["ignore", "ignore", "inherit"] });
