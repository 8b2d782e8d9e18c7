package coop.sahkar.coordinator.placement;

/**
 * Linear programs of the form: maximize c·x where A·x ≤ b, x ≥ 0 and b ≥ 0. A dense tableau with
 * Bland's rule, for the few variables of a test.
 */
final class Simplex {
    private static final double EPSILON = 1e-9;

    private Simplex() {}

    /** The greatest c·x. */
    static double most(double[][] a, double[] b, double[] c) {
        int rows = a.length;
        int columns = c.length;
        double[][] t = new double[rows + 1][columns + rows + 1];
        int[] basis = new int[rows];
        for (int i = 0; i < rows; i++) {
            System.arraycopy(a[i], 0, t[i], 0, columns);
            t[i][columns + i] = 1;
            t[i][columns + rows] = b[i];
            basis[i] = columns + i;
        }
        for (int j = 0; j < columns; j++) {
            t[rows][j] = -c[j];
        }
        for (int entering = entering(t); entering >= 0; entering = entering(t)) {
            int leaving = leaving(t, basis, entering);
            if (leaving < 0) {
                return Double.POSITIVE_INFINITY;
            }
            pivot(t, leaving, entering);
            basis[leaving] = entering;
        }
        return t[rows][columns + rows];
    }

    private static int entering(double[][] t) {
        double[] objective = t[t.length - 1];
        for (int j = 0; j < objective.length - 1; j++) {
            if (objective[j] < -EPSILON) {
                return j;
            }
        }
        return -1;
    }

    private static int leaving(double[][] t, int[] basis, int entering) {
        int best = -1;
        double least = Double.MAX_VALUE;
        for (int i = 0; i < basis.length; i++) {
            if (t[i][entering] > EPSILON) {
                double ratio = t[i][t[i].length - 1] / t[i][entering];
                boolean lower = ratio < least - EPSILON;
                boolean same = Math.abs(ratio - least) <= EPSILON;
                if (lower || (same && basis[i] < basis[best])) {
                    least = ratio;
                    best = i;
                }
            }
        }
        return best;
    }

    private static void pivot(double[][] t, int row, int column) {
        double by = t[row][column];
        for (int j = 0; j < t[row].length; j++) {
            t[row][j] /= by;
        }
        for (int i = 0; i < t.length; i++) {
            double times = t[i][column];
            if (i != row && times != 0) {
                for (int j = 0; j < t[i].length; j++) {
                    t[i][j] -= times * t[row][j];
                }
            }
        }
    }
}
