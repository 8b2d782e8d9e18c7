package coop.sahkar.coordinator.placement;

import coop.sahkar.proto.Cuts;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** The cuts of a model that are worth trying: the coarser first, then the more even. */
final class Grids {
    /** Places between which cuts are tried; a model of more blocks is cut at some of them only. */
    private static final int MOST_PLACES = 10;

    /** Cuts tried for one number of stages. */
    private static final int MOST_PER_STAGES = 24;

    private Grids() {}

    /** The blocks of each cut, 0 and the last included. */
    static List<int[]> of(Cuts cuts, int leastStages, int mostStages) {
        int[] places = places(cuts);
        List<int[]> all = new ArrayList<>();
        for (int stages = leastStages;
                stages <= Math.min(mostStages, places.length - 1);
                stages++) {
            List<int[]> some = new ArrayList<>();
            int[] grid = new int[stages + 1];
            grid[stages] = cuts.blockCount();
            choose(places, 1, 1, grid, some);
            some.sort(Comparator.comparingInt(Grids::unevenness));
            all.addAll(some.subList(0, Math.min(MOST_PER_STAGES, some.size())));
        }
        return all;
    }

    /** The finest cut that is looked at. */
    static int[] places(Cuts cuts) {
        int parts = Math.min(cuts.units(), MOST_PLACES);
        return IntStream.rangeClosed(0, parts)
                .map(i -> i == parts ? cuts.blockCount() : cuts.units() * i / parts * cuts.grain())
                .toArray();
    }

    private static void choose(int[] places, int next, int stage, int[] grid, List<int[]> found) {
        if (stage == grid.length - 1) {
            found.add(grid.clone());
            return;
        }
        int left = grid.length - 1 - stage;
        for (int i = next; i <= places.length - 1 - left; i++) {
            grid[stage] = places[i];
            choose(places, i + 1, stage + 1, grid, found);
        }
    }

    private static int unevenness(int[] grid) {
        int longest = 0;
        int shortest = Integer.MAX_VALUE;
        for (int i = 1; i < grid.length; i++) {
            longest = Math.max(longest, grid[i] - grid[i - 1]);
            shortest = Math.min(shortest, grid[i] - grid[i - 1]);
        }
        return longest * 2 - shortest;
    }
}
