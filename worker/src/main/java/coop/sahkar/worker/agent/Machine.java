package coop.sahkar.worker.agent;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What this machine has to lend.
 *
 * @param memoryBytes memory in all
 * @param availableBytes memory that could be taken without driving anything out
 * @param cores physical cores this process may use
 */
public record Machine(long memoryBytes, long availableBytes, int cores) {
    private static final Path MEMORY = Path.of("/proc/meminfo");
    private static final Path PROCESSORS = Path.of("/proc/cpuinfo");
    private static final double LENT_SHARE_OF_AVAILABLE = 0.7;
    private static final double LENT_SHARE_OF_MEMORY = 0.6;

    /** Looks. */
    public static Machine read() {
        OperatingSystemMXBean system =
                ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        long memory = system.getTotalMemorySize();
        long available = available(lines(MEMORY), system.getFreeMemorySize());
        int processors = Runtime.getRuntime().availableProcessors();
        return new Machine(
                memory, Math.min(memory, available), cores(lines(PROCESSORS), processors));
    }

    /** What a donor lends who says nothing about it. */
    public long sensibleMemoryBytes() {
        return (long)
                Math.min(
                        availableBytes * LENT_SHARE_OF_AVAILABLE,
                        memoryBytes * LENT_SHARE_OF_MEMORY);
    }

    private static List<String> lines(Path path) {
        try {
            return Files.readAllLines(path);
        } catch (IOException e) {
            return List.of();
        }
    }

    static long available(List<String> meminfo, long otherwise) {
        for (String line : meminfo) {
            String[] fields = line.split("\\s+", -1);
            if (fields.length >= 2 && fields[0].equals("MemAvailable:")) {
                return Long.parseLong(fields[1]) * 1024;
            }
        }
        return otherwise;
    }

    /** Two threads of one core compete for the same arithmetic, so cores are what counts. */
    static int cores(List<String> cpuinfo, int processors) {
        Set<String> cores = new HashSet<>();
        String chip = "";
        for (String line : cpuinfo) {
            if (line.startsWith("physical id")) {
                chip = line;
            } else if (line.startsWith("core id")) {
                cores.add(chip + line);
            }
        }
        return cores.isEmpty() ? processors : Math.min(cores.size(), processors);
    }
}
