using System.Collections.Immutable;
using Amalgam.Merging.Planning;

namespace Amalgam.Cli;

/// <summary>A plan as people read it: a row for each tensor, then what it comes to.</summary>
internal static class PlanText
{
    public static void Write(ImmutableArray<MergePlan> plans, TextWriter output)
    {
        foreach (MergePlan plan in plans)
        {
            if (plans.Length > 1) output.WriteLine($"{(plan.Recipe.Name is { } name ? Printable.Line(name) : "result")}: {plan.Recipe.Method}");
            Write(plan, output);
            output.WriteLine();
        }
    }

    private static void Write(MergePlan plan, TextWriter output)
    {
        Table table = new(1, "tensor", "shape", "type", ">bytes", "how", "from");
        foreach (PlannedTensor tensor in plan.Tensors)
        {
            string from = string.Join(", ", tensor.Inputs.Select(i => Input(i, tensor))) + (tensor.Base is { } origin ? $" on {Input(origin, tensor)}" : "");
            string how = tensor.Method is null ? $"copy: {tensor.Explanation}" : tensor.Explanation;
            table.Add(Printable.Line(tensor.Output.Name), $"{tensor.Output.Shape}", tensor.Output.DType.Name, $"{tensor.Output.ByteCount}", Printable.Line(how), from);
        }

        table.Write(output, Screen.WidthOf(output));
        output.WriteLine();
        foreach (PlannedModel model in plan.Models)
            output.WriteLine($"model {Printable.Line(model.Label)}: {model.Checkpoint.Format}, {model.Checkpoint.Tensors.Length} tensors, {ByteSize.Text(model.Checkpoint.ByteCount)}{(model == plan.Donor ? ", lends configuration and tokenizer files" : "")}");
        foreach (string note in plan.Notes) output.WriteLine($"note: {Printable.Line(note)}");
        int merged = plan.Tensors.Count(t => t.Method is not null);
        output.WriteLine(
            $"total: {plan.Tensors.Length} tensors ({merged} merged, {plan.Tensors.Length - merged} copied), {plan.Parameters:N0} numbers, reads {ByteSize.Text(plan.InputBytes)}, writes {ByteSize.Text(plan.OutputBytes)}");
    }

    /// <summary>The model, and the tensor where it has another name or type there.</summary>
    private static string Input(PlannedInput input, PlannedTensor tensor)
    {
        string name = input.Tensor.Name == tensor.Output.Name ? "" : $":{input.Tensor.Name}";
        string type = input.Tensor.DType == tensor.Output.DType ? "" : $" ({input.Tensor.DType})";
        return Printable.Line($"{input.Model.Label}{name}{type}");
    }
}
