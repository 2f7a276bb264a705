using System.CommandLine;
using Amalgam.Checkpoints;

namespace Amalgam.Cli;

/// <summary><c>amalgam convert</c>: a checkpoint in another format, element type or layout.</summary>
internal static class ConvertCommand
{
    public static Command Create()
    {
        Argument<string> input = new("in") { Description = "Checkpoint file, or folder that holds one" };
        Argument<string> path = new("out") { Description = "What to write: the ending says the format (.safetensors); without one it is a folder of safetensors shards" };
        Option<DType?> type = ElementType.Option("Type of the floating-point tensors; others are copied as they are");
        Option<long?> shardSize = new("--shard-size")
        {
            Description = "Begin a new file of a folder before one grows larger than this; 0 writes one file [default: 5GB]",
            CustomParser = argument => ByteSize.OfArgument(argument),
            HelpName = "size",
        };
        Option<string?> prefix = new("--strip-prefix") { Description = "Take this off the tensor names that begin with it", HelpName = "prefix" };
        Option<bool> overwrite = new("--overwrite") { Description = "Replace what is at OUT, once the copy is complete" };
        Option<bool> quiet = new("--quiet", "-q") { Description = "No progress on the error output" };
        Verb verb = new(
            "convert", "Copy a checkpoint into another format, element type or number of files. A value that the type cannot hold stops it.",
            [
                "amalgam convert model.pth model.safetensors --strip-prefix module.",
                "amalgam convert model.safetensors half.safetensors --dtype bfloat16",
                "amalgam convert model-folder sharded --shard-size 2GB        # a folder with an index",
            ])
        {
            input, path, type, shardSize, prefix, overwrite, quiet,
        };
        verb.Runs((parse, cancel) =>
        {
            string target = parse.GetValue(path)!;
            OutputOptions options = new(parse.GetValue(shardSize) ?? 5_000_000_000, parse.GetValue(overwrite));
            CheckpointOutput.CheckTarget(target, options.Overwrite);
            using Checkpoint source = Checkpoint.Open(parse.GetValue(input)!);
            using Progress progress = new(parse.InvocationConfiguration.Error, parse.GetValue(quiet));
            var tensors = new CheckpointCopy(parse.GetValue(type), parse.GetValue(prefix) ?? "").Run(source, target, options, progress, cancel);
            progress.Dispose();
            parse.InvocationConfiguration.Output.WriteLine($"{Printable.Line(target)}: {tensors.Length:N0} tensors, {ByteSize.Text(tensors.Sum(t => t.ByteCount))}");
        });
        return verb;
    }
}
