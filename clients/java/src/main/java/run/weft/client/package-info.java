/**
 * The Java client of weft: it deploys functions, tells about them and calls them. {@link run.weft.client.WeftClient} is where to
 * begin. Answers are the messages of weft's API, in {@code run.weft.v1}.
 */
package run.weft.client;
