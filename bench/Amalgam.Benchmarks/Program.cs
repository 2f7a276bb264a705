using Amalgam.Benchmarks;
using BenchmarkDotNet.Running;

// generate writes the checkpoints that bench/merge-speed.sh times; anything else goes to BenchmarkDotNet.
if (args is ["generate", var folder, var size, ..])
{
    CheckpointGenerator.Run(folder, long.Parse(size), args.Length > 3 ? int.Parse(args[3]) : 0);
    return;
}

BenchmarkSwitcher.FromAssembly(typeof(CheckpointGenerator).Assembly).Run(args);
