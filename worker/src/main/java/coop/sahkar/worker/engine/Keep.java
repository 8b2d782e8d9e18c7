package coop.sahkar.worker.engine;

/**
 * What a stage may keep of a session when a route of it is opened. A session has a turn for each
 * generation that ran in it, one after the other, as a chat goes on; tokens differ from turn to
 * turn, so what a stage may keep depends on the last one that it took part in.
 *
 * @param turn epoch in which the generation began that now runs
 * @param positions positions, from 0, that a stage of this turn keeps of what it holds
 * @param priorTurn another turn whose tokens the head has compared; 0 for none
 * @param priorPositions positions whose tokens are the same in both: what a stage keeps that last
 *     took part in the other
 */
public record Keep(int turn, int positions, int priorTurn, int priorPositions) {
    /** Nothing is held anywhere. */
    public static final Keep NOTHING = new Keep(1, 0, 0, 0);

    /** What a stage keeps that last took part in {@code lastTurn}. */
    int after(int lastTurn) {
        if (lastTurn == turn) {
            return positions;
        }
        return lastTurn == priorTurn ? priorPositions : 0;
    }

    /** The same later in the turn. */
    Keep with(int nowPositions) {
        return new Keep(turn, nowPositions, priorTurn, priorPositions);
    }

    /** Positions that some stage has computed before. */
    int most() {
        return Math.max(positions, priorPositions);
    }
}
