package coop.sahkar.client;

/**
 * The next piece of an answer.
 *
 * @param text whole characters; empty while bytes of an unfinished character or a possible stop
 *     string are held back
 * @param position position in the session of the first token behind it; -1 where the provider does
 *     not tell
 * @param tokens how many tokens were committed with it; 0 where the provider does not tell
 */
public record TextPiece(String text, int position, int tokens) {}
